import Foundation
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import Replication
import Synchronization

/// One connection, from its TLS handshake to its end: finds out who is there, opens, passes frames, and watches the clock.
/// What it learns goes into the mesh's state; what is to be sent it takes from there.
final class LinkHandler: ChannelDuplexHandler {
    typealias InboundIn = Frame
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private let mesh: Mesh
    /// Whom this node has dialled; nil where it was dialled.
    private let dialled: NodeName?
    private var writer: FrameWriter
    private var rate: RateLimit
    private var link: (peer: NodeName, id: UInt64)?
    /// The peer has opened it too.
    private var isOpen = false
    private var isOver = false
    private var isReadHeld = false
    private var sentAt = NIODeadline.now()
    /// How often it was looked since the last frame came.
    private var looksInVain = 0
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(mesh: Mesh, dialled: NodeName?) {
        self.mesh = mesh
        self.dialled = dialled
        writer = FrameWriter(cluster: mesh.clusterHead)
        rate = RateLimit(limits: mesh.limits, now: .now())
    }

    private var label: String { link?.peer.rawValue ?? dialled?.rawValue ?? "unknown" }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .milliseconds(mesh.limits.handshakeTimeout)) {
            bound.value.end(LinkFault(.handshakeTimeout, "it was not opened in time"))
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isOver, dialled == nil, link == nil {
            mesh.refusals.add(LinkFault(.handshake, "it left during the handshake"), peer: address(context))
        }
        finish("the connection was closed")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let fault as LinkFault: end(fault)
        case _ where link == nil: end(LinkFault(.handshake, "no TLS with \(address(context)): \(words(for: error))"))
        default:
            // A reset, or an end without TLS's own: the connection is lost.
            finish(words(for: error))
            context.close(promise: nil)
        }
    }

    /// Ends it for a reason: counted, logged, and told to the peer if it is one.
    private func end(_ fault: LinkFault) {
        guard !isOver, let context else { return }
        mesh.refusals.add(fault, peer: link?.peer.rawValue ?? address(context))
        if link != nil { write([OutgoingFrame(.bye, Array(fault.description.cut(toBytes: 250).utf8))], context) }
        context.flush()
        finish(fault.description)
        context.close(promise: nil)
    }

    private func finish(_ why: String) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        guard let link else { return }
        mesh.state.withLock { $0.end(link.peer, link.id) }
        mesh.consumer.wake()
        if isOpen { mesh.refusals.addDisconnection("\(link.peer)", because: "\(why)") }
    }

    private func address(_ context: ChannelHandlerContext) -> String {
        dialled?.rawValue ?? context.remoteAddress?.ipAddress ?? "unknown"
    }

    // MARK: Who is there

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            do throws(LinkFault) { try claim(try identify(context), context) } catch { end(error) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The name in the certificate, whose signature TLS has checked.
    private func identify(_ context: ChannelHandlerContext) throws(LinkFault) -> NodeName {
        let identity: PeerIdentity
        do {
            guard let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate() else {
                throw GossipFault("it has no certificate")
            }
            identity = try PeerIdentity(certificate: try certificate.toDERBytes())
        } catch {
            throw LinkFault(.notAMember, "\(error)")
        }
        guard identity.cluster == mesh.configuration.cluster else {
            throw LinkFault(.wrongCluster, "its certificate is of cluster \(identity.cluster)")
        }
        guard mesh.isPeer(identity.node) else { throw LinkFault(.notAMember, "\(identity.node) is no other member") }
        guard dialled == nil || dialled == identity.node else {
            throw LinkFault(.wrongNode, "\(identity.node) answers where \(dialled?.rawValue ?? "") should be")
        }
        return identity.node
    }

    /// Takes the peer's place in the mesh, and tells it how much it may send.
    private func claim(_ peer: NodeName, _ context: ChannelHandlerContext) throws(LinkFault) {
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let channel = context.channel
        mesh.channels.isKnown(channel)
        let isDialledByEarlier = (dialled == nil ? peer : mesh.name) == min(peer, mesh.name)
        let (id, claim) = mesh.state.withLock { state in
            let id = state.nextLinkID()
            let link = Link(
                id: id, isDialledByEarlier: isDialledByEarlier, channel: channel,
                wake: { loop.execute { bound.value.flush() } },
                end: { fault in loop.execute { bound.value.end(fault) } })
            return (id, state.claim(peer, link, now: .now()))
        }
        switch claim {
        case .refused(let fault): throw fault
        case .granted(let credit, let replaced):
            link = (peer, id)
            replaced?.end(LinkFault(.replaced, "another connection to \(peer) takes its place"))
            write([OutgoingFrame(.open, UInt64(credit).bigEndianBytes)], context)
            context.flush()
        }
    }

    // MARK: Frames from the peer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver, let link else { return }
        let frame = unwrapInboundIn(data)
        looksInVain = 0
        rate.spend(bytes: Frame.cost(frame.payload.readableBytes))
        do throws(LinkFault) { try receive(frame, link, context) } catch { end(error) }
    }

    private func receive(
        _ frame: Frame, _ link: (peer: NodeName, id: UInt64), _ context: ChannelHandlerContext
    ) throws(LinkFault) {
        if !isOpen, frame.kind != .open, frame.kind != .bye {
            throw LinkFault(.malformed, "a frame comes before the connection is open")
        }
        let payload = Array(frame.payload.readableBytesView)
        let isNews = try mesh.state.withLock { state in
            Result { () throws(LinkFault) in
                try state.receive(frame.kind, payload, from: link.peer, link.id, now: .now())
            }
        }.get()
        if isNews { mesh.consumer.wake() }
        switch frame.kind {
        case .message, .ping: break
        case .open: try open(link, credit: try amount(frame.payload))
        case .credit:
            let credit = try amount(frame.payload)
            mesh.state.withLock { $0.peers[link.peer]?.outbox.add(credit: credit) }
            flush()
        case .snapshot:
            let content: SnapshotFrame
            do { content = try SnapshotFrame(decoding: payload) } catch {
                throw LinkFault(.malformed, "a snapshot's frame is refused: \(error)")
            }
            try mesh.receive(content, from: link.peer, link.id)
        case .bye:
            finish("it said: \(String(decoding: payload.prefix(250), as: UTF8.self).filter { !$0.isNewline })")
            context.close(promise: nil)
        }
    }

    /// Eight bytes of credit, of which nobody needs more than this.
    private func amount(_ payload: ByteBuffer) throws(LinkFault) -> Int {
        guard payload.readableBytes == 8, let amount = payload.getInteger(at: payload.readerIndex, as: UInt64.self),
            amount <= 1 << 32
        else { throw LinkFault(.malformed, "an amount of credit is wrong") }
        return Int(amount)
    }

    private func open(_ link: (peer: NodeName, id: UInt64), credit: Int) throws(LinkFault) {
        guard !isOpen else { throw LinkFault(.malformed, "it is opened twice") }
        isOpen = true
        guard mesh.state.withLock({ $0.open(link.peer, link.id, credit: credit) }) else { return }
        mesh.consumer.wake()
        mesh.refusals.addConnection("\(link.peer)", ["dialled": "\(dialled != nil)"])
        timer?.cancel()
        watch()
        flush()
    }

    // MARK: Time

    private func watch() {
        guard !isOver, let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .milliseconds(mesh.limits.pingInterval)) { bound.value.look() }
    }

    /// Says that this node lives, and ends a connection on which nothing comes. Looks are counted, not time: while this
    /// process stood still, it could not hear.
    private func look() {
        guard !isOver, let context else { return }
        looksInVain += 1
        if Int64(looksInVain) * mesh.limits.pingInterval > mesh.limits.idleTimeout {
            return end(LinkFault(.idle, "nothing came from \(label) for \(mesh.limits.idleTimeout) ms"))
        }
        if NIODeadline.now() - sentAt >= .milliseconds(mesh.limits.pingInterval), context.channel.isWritable {
            write([OutgoingFrame(.ping, [])], context)
            context.flush()
        }
        watch()
    }

    // MARK: Frames to the peer

    /// Sends what can be sent now, in slices, so that reading has its turn. It stops while the socket takes no more; what
    /// waits is bounded where it waits.
    private func flush() {
        guard !isOver, isOpen, let link, let context else { return }
        for _ in 0..<Self.slicesPerTurn {
            guard context.channel.isWritable else { return }
            let frames = mesh.state.withLock { $0.nextFrames(to: link.peer, link.id, bytesMax: Self.sliceBytes) }
            if frames.isEmpty { return }
            write(frames, context)
            context.flush()
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.flush() }
    }

    private static let sliceBytes = 64 << 10
    private static let slicesPerTurn = 4

    /// Together: each write is at least one record of TLS.
    private func write(_ frames: [OutgoingFrame], _ context: ChannelHandlerContext) {
        let bytes = frames.reduce(0) { $0 + Frame.cost($1.payload.count) }
        var buffer = context.channel.allocator.buffer(capacity: bytes)
        for frame in frames { writer.write(frame.kind, frame.payload, to: &buffer) }
        sentAt = .now()
        context.write(wrapOutboundOut(buffer), promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush() }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Reading no faster than allowed

    func read(context: ChannelHandlerContext) {
        guard link != nil, let pause = rate.pause(now: .now()) else { return context.read() }
        guard !isReadHeld else { return }
        isReadHeld = true
        if let link { mesh.state.withLock { $0.peers[link.peer]?.metrics.throttled += 1 } }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: pause) {
            bound.value.isReadHeld = false
            if let context = bound.value.context { bound.value.read(context: context) }
        }
    }

    private func words(for error: any Error) -> String {
        "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ").cut(toBytes: 200)
    }
}
