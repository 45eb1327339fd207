import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Wire

/// Holds the requests of a connection to their bounds: each must arrive whole in its time, whatever trickles; what cannot
/// be read is told why; and an answer that says so ends the connection.
final class RequestWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: GatewayLimits
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

    init(limits: GatewayLimits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { forget() }

    func channelInactive(context: ChannelHandlerContext) {
        forget()
        context.fireChannelInactive()
    }

    private func forget() {
        arrival?.cancel()
        arrival = nil
        context = nil
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
        context.fireChannelRead(data)
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
            guard isEnding || (fault != nil && requestsUnanswered <= 0) else {
                return context.write(data, promise: promise)
            }
            context.write(data, promise: promise)
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

/// Tells the watch what passes below HTTP, and ends a connection whose client does not read its answers.
final class ByteWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let watch: RequestWatch
    private let patience: TimeAmount
    private var unread: Scheduled<Void>?

    init(_ watch: RequestWatch, limits: GatewayLimits) {
        self.watch = watch
        patience = .milliseconds(limits.responseMillisecondsMax)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.bytesArrived()
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unread?.cancel()
        unread = nil
        if !context.channel.isWritable {
            let channel = context.channel
            unread = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        unread?.cancel()
        context.fireChannelInactive()
    }
}
