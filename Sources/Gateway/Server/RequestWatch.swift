import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Wire

/// Holds the requests of a connection to their bounds: each must arrive whole in its time, whatever trickles; what cannot
/// be read is told why; an answer that says so ends the connection; and each that has come whole waits for its turn.
final class RequestWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What a request's own handler says when it waits for something and others may be served meanwhile.
    struct TurnEnd: Sendable {}

    private let limits: GatewayLimits
    private let turns: PerLoop<LoopTurns>
    private var turn: RequestTurn?
    private var requests = HeldRequests()
    private var context: ChannelHandlerContext?
    /// Ends a request that does not arrive.
    private var arrival: Scheduled<Void>?
    private var requestsUnanswered = 0
    /// What is wrong with what came after the requests that are not answered yet.
    private var fault: (HTTPResponse.Status, WireError)?
    /// The answer at hand is the last.
    private var isEnding = false
    /// The last answer was written.
    private var hasEnded = false

    init(limits: GatewayLimits, turns: PerLoop<LoopTurns>) {
        self.limits = limits
        self.turns = turns
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // The turn calls nobody any more once it was left.
        turn = turns.value(on: context.eventLoop).map { turns in
            RequestTurn(turns.requests, of: ClientAddress(context.channel.remoteAddress)) { [unowned self] in serve() }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { forget() }

    func channelInactive(context: ChannelHandlerContext) {
        forget()
        context.fireChannelInactive()
    }

    private func forget() {
        arrival?.cancel()
        arrival = nil
        context = nil
        turn?.leave()
        turn = nil
        requests = HeldRequests()
    }

    /// Bytes have come, before they are parsed.
    func bytesArrived() {
        guard arrival == nil, let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        arrival = context.eventLoop.scheduleTask(in: .milliseconds(limits.requestMillisecondsMax)) {
            bound.value.requestIsLate()
        }
    }

    private func requestIsLate() {
        fail(
            .requestTimeout,
            WireError(
                .badValue, "the request did not arrive within \(limits.requestMillisecondsMax) ms; send it at once"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard fault == nil, !isEnding else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            requestsUnanswered += 1
            // Pipelined, it may belong to the request before.
            if requestsUnanswered == 1 { answerExpectation(head, context) }
        case .body: break
        case .end:
            arrival?.cancel()
            arrival = nil
        }
        if requests.add(unwrapInboundIn(data), bodyBytesMax: limits.wire.messageBytesMax) {
            context.fireChannelRead(data)
        } else {
            askForTurn()
        }
    }

    // MARK: Turns

    private func askForTurn() {
        guard !isEnding, requests.canServeNext, let turn else { return }
        turn.ask()
    }

    /// Hands on the next request.
    private func serve() {
        guard let context else { return }
        for part in requests.serveNext() { context.fireChannelRead(wrapInboundOut(part)) }
        context.fireChannelReadComplete()
        handOnWhatWaited(context)
    }

    /// What came after requests that waited themselves.
    private func handOnWhatWaited(_ context: ChannelHandlerContext) {
        guard !requests.holdsWhole else { return }
        let events = requests.takeEvents()
        if requests.takeWish() { context.read() }
        for event in events { context.fireUserInboundEventTriggered(event) }
    }

    func read(context: ChannelHandlerContext) {
        if !requests.wishToRead() { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let isEnd = event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed
        if !isEnd || !requests.keep(event) { context.fireUserInboundEventTriggered(event) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is TurnEnd else { return context.triggerUserOutboundEvent(event, promise: promise) }
        turn?.end()
        promise?.succeed()
    }

    /// A client that does not read its answer is waited for by nobody.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable { turn?.end() }
        context.fireChannelWritabilityChanged()
    }

    private func answerExpectation(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        guard head.headerFields[.expect]?.lowercased() == "100-continue" else { return }
        let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        // Too much is refused by whoever reads it; the client need not send it for that.
        guard length <= limits.wire.messageBytesMax else { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Somebody still answers a request that was ended.
        guard !hasEnded else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head):
            if head.headerFields[.connection] == "close" { isEnding = true }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            requestsUnanswered -= 1
            context.write(data, promise: promise)
            requests.wasAnswered()
            turn?.end()
            guard isEnding || (fault != nil && requestsUnanswered <= 0) else { return askForTurn() }
            if fault != nil, !isEnding { return endWithFault() }
            end(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? HTTPParserError {
        case nil where error is HTTP1TypeConversionError:
            fail(.badRequest, WireError(.badValue, "this is no HTTP request: its method or path cannot be used"))
        case nil: context.fireErrorCaught(error)
        case .headerOverflow:
            fail(
                .requestHeaderFieldsTooLarge,
                WireError(
                    .tooBig,
                    "the request line and headers have more than \(limits.headerBytesMax) bytes or \(limits.headersMax) fields"
                ))
        case let error?: fail(.badRequest, WireError(.badValue, "this is no HTTP request: \(error.debugDescription)"))
        }
    }

    private func fail(_ status: HTTPResponse.Status, _ error: WireError) {
        guard fault == nil, !isEnding else { return }
        fault = (status, error)
        if status == .requestTimeout || requestsUnanswered == 0 { endWithFault() }
    }

    /// A request that never came whole was perhaps counted, and is answered by this.
    private func endWithFault() {
        guard let context, let (status, error) = fault, !isEnding else { return }
        isEnding = true
        let body = ByteBuffer(bytes: ErrorMessage(error).encoded())
        let head = HTTPResponse(
            status: status,
            headerFields: [
                .contentType: "application/json", .contentLength: "\(body.readableBytes)", .connection: "close",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        end(context)
    }

    /// What was written goes out; the client has a moment to read it, since bytes of its own that nobody reads would take
    /// it away from it.
    private func end(_ context: ChannelHandlerContext) {
        hasEnded = true
        arrival?.cancel()
        let channel = context.channel
        context.flush()
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: .milliseconds(limits.closeMillisecondsMax)) { channel.close(promise: nil) }
    }
}
