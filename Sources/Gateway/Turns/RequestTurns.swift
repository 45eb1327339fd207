import NIOCore

/// Which of a loop's requests over HTTP is served next: one at a time, so that whatever many connections ask for, sockets
/// wait for one request at most; and of those that wait, whoever has been served least is first.
final class RequestTurns {
    private let eventLoop: any EventLoop
    private let durationMax: TimeAmount
    private var line = FairTurns<RequestTurn>()
    private var holder: RequestTurn?
    private var lastTurn: UInt64 = 0
    private var isWatched = false

    init(on eventLoop: any EventLoop, limits: GatewayLimits) {
        self.eventLoop = eventLoop
        durationMax = .milliseconds(limits.requestTurnMillisecondsMax)
    }

    fileprivate func ask(_ turn: RequestTurn) {
        line.wait(turn, turn.account)
        giveTurn()
        watch()
    }

    fileprivate func end(_ turn: RequestTurn) {
        guard holder === turn else { return }
        holder = nil
        giveTurn()
    }

    fileprivate func leave(_ turn: RequestTurn) { line.remove(turn.account) { $0 === turn } }

    private func giveTurn() {
        while holder == nil, let turn = line.next() {
            holder = turn
            lastTurn += 1
            line.charge(&turn.account, 1)
            turn.begin()
        }
    }

    /// A request that takes longer is served on beside others.
    private func watch() {
        guard !isWatched, !line.isEmpty else { return }
        isWatched = true
        let watched = lastTurn
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: durationMax) { bound.value.watchEnds(of: watched) }
    }

    private func watchEnds(of turn: UInt64) {
        isWatched = false
        if turn == lastTurn {
            holder = nil
            giveTurn()
        }
        watch()
    }
}

/// One connection's place among those that want to be served.
final class RequestTurn {
    private let turns: RequestTurns
    private let onBegin: () -> Void
    fileprivate var account: FairTurns<RequestTurn>.Account
    private(set) var isWaiting = false

    /// - Parameter onBegin: called when the turn has come.
    init(_ turns: RequestTurns, of address: ClientAddress, onBegin: @escaping () -> Void) {
        self.turns = turns
        self.onBegin = onBegin
        account = FairTurns.Account(address)
    }

    func ask() {
        guard !isWaiting else { return }
        isWaiting = true
        turns.ask(self)
    }

    fileprivate func begin() {
        isWaiting = false
        onBegin()
    }

    /// The others need not wait any more; harmless where it was not this one's turn.
    func end() { turns.end(self) }

    /// It wants nothing any more.
    func leave() {
        if isWaiting { turns.leave(self) } else { turns.end(self) }
        isWaiting = false
    }
}
