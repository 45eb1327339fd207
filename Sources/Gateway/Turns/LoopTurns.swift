import NIOCore

/// The turns of what one event loop does for its connections.
final class LoopTurns {
    let reads: ReadTurns
    let requests: RequestTurns

    init(on eventLoop: any EventLoop, limits: GatewayLimits) {
        reads = ReadTurns(on: eventLoop, limits: limits)
        requests = RequestTurns(on: eventLoop, limits: limits)
    }
}
