import NIOCore

/// Who of a loop's connections may read next. Whoever floods waits for the others: between two looks at what has come so
/// many bytes are read of all connections together, and of what waits longer, those who have read least are first.
///
/// A connection that sends little is always free to: it waits only to read its next.
final class ReadTurns {
    /// The loop does nothing else for so long between two reads only where it has looked for events meanwhile.
    private static let gap = TimeAmount.microseconds(50)

    private let eventLoop: any EventLoop
    private let interval: TimeAmount
    private let bytesMax: Int
    private var line = FairTurns<ReadTurn>()
    private var bytesLeft: Int
    private var readAt = NIODeadline.uptimeNanoseconds(0)
    private var isScheduled = false

    init(on eventLoop: any EventLoop, limits: GatewayLimits) {
        self.eventLoop = eventLoop
        interval = .microseconds(limits.readTurnMicroseconds)
        bytesMax = limits.readBytesPerTurn
        bytesLeft = bytesMax
    }

    /// False where the connection has to wait; it is told when it may.
    fileprivate func ask(_ turn: ReadTurn) -> Bool {
        readAt = eventLoop.now
        if line.isEmpty, bytesLeft > 0 { return true }
        line.wait(turn, turn.account)
        schedule()
        return false
    }

    fileprivate func read(_ bytes: Int, by turn: ReadTurn) {
        if eventLoop.now - readAt > Self.gap { bytesLeft = bytesMax }
        // However little it was, it was a system call and a message to be looked at.
        let cost = max(bytes, 256)
        bytesLeft -= cost
        line.charge(&turn.account, cost)
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // By time: what is executed at once comes before anything is read.
        eventLoop.scheduleTask(in: interval) {
            bound.value.isScheduled = false
            bound.value.giveTurns()
        }
    }

    private func giveTurns() {
        bytesLeft = bytesMax
        // What each will read is known when it has; until then it counts as what it read last.
        var bytes = bytesMax
        while bytes > 0, let turn = line.next() { bytes -= turn.begin() }
        if !line.isEmpty { schedule() }
    }
}

/// Lets a connection read when it is its turn. The first handler of each.
final class ReadTurn: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let turns: ReadTurns
    fileprivate var account: FairTurns<ReadTurn>.Account
    private var context: ChannelHandlerContext?
    private var isWaiting = false
    private var bytesLast = 256

    init(_ turns: ReadTurns, of address: ClientAddress) {
        self.turns = turns
        account = FairTurns.Account(address)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        guard !isWaiting else { return }
        if turns.ask(self) { return context.read() }
        isWaiting = true
    }

    /// - Returns: how much it may be expected to read.
    fileprivate func begin() -> Int {
        isWaiting = false
        guard let context else { return 0 }
        context.read()
        return bytesLast
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytesLast = unwrapInboundIn(data).readableBytes
        turns.read(bytesLast, by: self)
        context.fireChannelRead(data)
    }
}
