import OrderBook
import Replication
import Store

/// The machine, its database and its peers on one thread, which is the database connection's: a write is durable before
/// the next event is looked at, and what comes meanwhile is taken together.
struct SidecarLoop {
    private let connection: StoreConnection
    private let shared: SidecarShared
    private var database: NodeDatabase
    private var machine: Replicator
    private var actions = ActionQueue()
    private var markets: AnnouncedMarkets
    private var rebuild: Rebuild?
    private var nextTick: Int64 = 0
    private var nextPositions: Int64 = 0
    private var nextStatus: Int64 = 0
    private var nextLook: Int64 = 0
    private var isAsleep = false
    /// Who was entering commands when it fell asleep, and may have announced none.
    private var unannounced: [String] = []
    private var nextDoubt: Int64 = 0
    private var restlessness = Self.restlessnessMin

    /// A copying from a peer that is under way. Nothing is written meanwhile.
    private struct Rebuild {
        var held: [(WriteNumber, [Write])] = []
    }

    private static let positionsInterval: Int64 = 100_000
    private static let statusInterval: Int64 = 1_000_000
    /// A lost notification costs this much, in microseconds.
    private static let lookInterval: Int64 = 1_000_000
    /// In microseconds; it doubles up to the interval above.
    private static let restlessnessMin: Int64 = 2_000
    /// Of own commands without a stamp, read at once.
    private static let enteredPerLookMax = 2_000

    init(_ connection: StoreConnection, _ shared: SidecarShared) throws {
        guard var database = try NodeDatabase(claiming: connection, shared.configuration.database) else {
            throw GossipFault("another sidecar has this database; stop it first")
        }
        try connection.listenForEntered()
        self.connection = connection
        self.shared = shared
        let configuration = shared.configuration.replication
        let now = shared.clock.now()
        machine = Replicator(
            configuration: configuration, state: try database.stored(enteredMax: configuration.enteredMax), now: now)
        markets = AnnouncedMarkets(try database.markets())
        self.database = database
    }

    mutating func run() throws {
        shared.disconnectAll(because: "this node's sidecar has begun anew with its database")
        shared.inbox.onEntry(connection.waker)
        defer { shared.inbox.onEntry(nil) }
        while true {
            try Task.checkCancellation()
            guard connection.isUsable else { throw GossipFault("the connection to the database was lost") }
            var worked = try takeInbox()
            if try lookAtOutbox() { worked = true }
            try keepTime()
            if !worked { try rest() }
        }
    }

    // MARK: What happens

    private mutating func takeInbox() throws -> Bool {
        let entries = shared.inbox.takeAll()
        for entry in entries {
            switch entry {
            case .mesh(let event): try take(event)
            case .copied(let peer, let failure): try finishRebuild(from: peer, failure)
            case .checked(let found): try handle(.checked(found: found))
            }
            // Each may mean writing: whoever waits for a sign of life does not wait for all of them.
            try keepTime()
        }
        return !entries.isEmpty
    }

    private mutating func take(_ event: MeshEvent) throws {
        switch event {
        case .connected(let peer, let connection):
            shared.noteConnected(peer)
            shared.mesh.begin(connection, with: peer)
            try handle(.connected(peer))
        case .disconnected(let peer):
            shared.noteDisconnected(peer)
            try handle(.disconnected(peer))
        case .received(.hello(let hello), let peer):
            guard try learn(hello.markets, from: peer) else { return }
            try handle(.received(.hello(hello), from: peer))
        case .received(let message, let peer):
            guard try knowsMarkets(of: message, from: peer) else { return }
            try handle(.received(message, from: peer))
        case .snapshotRequested:
            break
        }
    }

    /// Adds what this node lacks of a peer's markets.
    /// - Returns: false where one is another here; then the peer is disconnected.
    private mutating func learn(_ definitions: [MarketDefinition], from peer: NodeName) throws -> Bool {
        do {
            try database.add(definitions.filter { !markets.holds($0) })
            return true
        } catch let error as StoreError where error.kind == .mismatch {
            shared.reporter.report(Report(.mismatch, peer: peer, "a market of \(peer) is another here: \(error)"))
            shared.mesh.disconnect(peer, because: "\(error)")
            return false
        }
    }

    /// A peer tells of a market before it sends commands for it.
    /// - Returns: false where it did not; then it is disconnected.
    private mutating func knowsMarkets(of message: Message, from peer: NodeName) throws -> Bool {
        let symbols: [String]
        switch message {
        case .items(let items): symbols = items.items.map(\.item.command.market)
        case .propose(let proposals): symbols = proposals.map(\.command.market)
        default: return true
        }
        try announceMarkets(of: symbols)
        guard let unknown = symbols.first(where: { !markets.contains($0) }) else { return true }
        let text = "a command for the market '\(unknown)', which nobody has told of"
        shared.reporter.report(Report(.malformed, peer: peer, "\(peer): \(text)"))
        shared.mesh.disconnect(peer, because: text)
        return false
    }

    /// - Returns: whether there was something.
    private mutating func lookAtOutbox() throws -> Bool {
        let now = shared.clock.now().uptime
        if connection.hearsOfCommands() { nextLook = now }
        guard rebuild == nil, now >= nextLook else { return false }
        let commands = try database.entered(max: Self.enteredPerLookMax)
        guard !commands.isEmpty else {
            nextLook = now + (isAsleep ? Self.lookInterval : 0)
            return false
        }
        nextLook = now
        try handle(.entered(commands))
        return true
    }

    private mutating func keepTime() throws {
        let now = shared.clock.now().uptime
        if now >= nextTick {
            nextTick = now + shared.configuration.replication.tickInterval
            try handle(.tick)
        }
        guard rebuild == nil else { return }
        if now >= nextPositions {
            nextPositions = now + Self.positionsInterval
            try handle(.executed(try database.positions()))
        }
        if now >= nextStatus {
            nextStatus = now + Self.statusInterval
            try connection.requireDurable()
            guard database.isHeld else {
                throw GossipFault("the connection that held this database for the sidecar was lost")
            }
            let status = machine.status
            try connection.noteStatus(try SidecarStatus(status, shared).json)
            try connection.noteStored(status.stored.map { ($0.key.rawValue, $0.value) })
        }
    }

    /// Waits for something to do.
    private mutating func rest() throws {
        let now = shared.clock.now().uptime
        if !isAsleep {
            unannounced = try connection.sleepAtOutbox()
            isAsleep = true
            // What entered a moment ago was not announced: one more look.
            nextLook = now
            nextDoubt = now + restlessness
        } else if !unannounced.isEmpty, now >= nextDoubt {
            let running = try connection.stillRunning(unannounced)
            if running.count < unannounced.count { nextLook = now }
            unannounced = running
            restlessness = min(2 * restlessness, Self.lookInterval)
            nextDoubt = now + restlessness
        }
        let pause = min(nextTick, max(nextLook, now)) - now
        if pause > 0, try connection.waitForCommands(.microseconds(pause)) { nextLook = 0 }
    }

    // MARK: What is done about it

    private mutating func handle(_ event: Event) throws {
        actions.append(machine.handle(event, now: shared.clock.now()))
        while let action = actions.next() { try perform(action) }
    }

    private mutating func answer(_ event: Event) { actions.append(machine.handle(event, now: shared.clock.now())) }

    private mutating func perform(_ action: Action) throws {
        switch action {
        case .write(let number, let writes):
            guard rebuild == nil else {
                rebuild?.held.append((number, writes))
                return
            }
            answer(.written(number, duplicates: try database.write(writes)))
        case .send(let message, let peer):
            try send(message, to: peer)
        case .read(let number, let ranges):
            let max = shared.configuration.replication.itemsPerReadMax
            let (items, isComplete) = try database.items(ranges, max: max)
            answer(.found(number, items, isComplete: isComplete))
        case .compare(let peer, let positions):
            let (equal, differing) = try database.compare(positions)
            answer(.compared(with: peer, equal: equal, differing: differing))
        case .check:
            shared.checks.request()
        case .rebuild(let peer):
            rebuild = Rebuild()
            copy(from: peer)
        case .disconnect(let peer, let reason):
            shared.mesh.disconnect(peer, because: reason)
        case .report(let report):
            shared.reporter.report(report)
        }
    }

    private mutating func send(_ message: Message, to peer: NodeName) throws {
        switch message {
        case .hello(var hello):
            if markets.isUnknown { markets = AnnouncedMarkets(try database.markets()) }
            hello.markets = markets.definitions
            markets.template = hello
            shared.mesh.send(.hello(hello), to: peer)
        case .items(let items):
            try announceMarkets(of: items.items.lazy.map(\.item.command.market))
            shared.mesh.send(message, to: peer)
        case .propose(let proposals):
            try announceMarkets(of: proposals.lazy.map(\.command.market))
            shared.mesh.send(message, to: peer)
        default:
            shared.mesh.send(message, to: peer)
        }
    }

    /// A command must not come before its market: all peers are greeted again where one was added since.
    private mutating func announceMarkets(of symbols: some Sequence<String>) throws {
        guard symbols.contains(where: { !markets.contains($0) }) else { return }
        let template = markets.template
        markets = AnnouncedMarkets(try database.markets())
        markets.template = template
        guard var hello = template else { return }
        hello.markets = markets.definitions
        for peer in shared.configuration.replication.peers { shared.mesh.send(.hello(hello), to: peer) }
    }

    // MARK: Rebuilding

    private func copy(from peer: NodeName) {
        let shared = shared
        Task {
            do {
                try await shared.takeState(of: peer)
                await shared.inbox.put(.copied(from: peer, failure: nil))
            } catch {
                await shared.inbox.put(.copied(from: peer, failure: "\(error)"))
            }
        }
    }

    private mutating func finishRebuild(from peer: NodeName, _ failure: String?) throws {
        guard let ended = rebuild else { return }
        rebuild = nil
        markets.isUnknown = true
        if let failure {
            // The database is as it was, so these are as right as they were.
            for (number, writes) in ended.held {
                try handle(.written(number, duplicates: try database.write(writes)))
            }
            return try handle(.notRebuilt(because: failure))
        }
        // They belong to a state that is gone.
        for (number, _) in ended.held { try handle(.written(number, duplicates: [])) }
        let enteredMax = shared.configuration.replication.enteredMax
        try handle(.rebuilt(try database.stored(enteredMax: enteredMax)))
    }
}

/// Actions in the order in which they were decided; an answer's come after those that were decided before it.
private struct ActionQueue {
    private var queue: [Action] = []
    private var position = 0

    mutating func append(_ actions: [Action]) { queue += actions }

    mutating func next() -> Action? {
        guard position < queue.count else {
            queue.removeAll(keepingCapacity: true)
            position = 0
            return nil
        }
        defer { position += 1 }
        return queue[position]
    }
}
