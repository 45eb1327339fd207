public import OrderBook
public import Postgres

/// One transaction that logs commands and stores what executing them did, for any number of markets.
///
/// Either it is opened first, to read what memory does not hold, or all of it goes out at once: then the server proves
/// that the markets stand where memory has them, and undoes everything if they do not.
public struct DirectTransaction {
    private let connection: Connection
    /// Whether the transaction has begun.
    public private(set) var isOpen = false

    public init(_ connection: Connection) { self.connection = connection }

    /// A market as its rows have it.
    public struct TakenMarket: Sendable {
        public var state: MarketState
        public var closedThrough: Timestamp
        /// When the next gtd order of its book expires.
        public var nextExpiry: Timestamp?
    }

    /// A market before and after.
    public struct Move {
        public var market: VersionedMarket
        public var before: MarketState
        public var after: MarketState
        public init(market: VersionedMarket, before: MarketState, after: MarketState) {
            self.market = market
            self.before = before
            self.after = after
        }
    }

    /// Begins and locks markets; waits for whoever has one.
    public mutating func open(_ markets: [MarketNumber]) throws -> [MarketNumber: TakenMarket] {
        let results = try connection.pipeline { pipeline in
            if !isOpen { try pipeline.begin() }
            try pipeline.send(SQL.takeMarkets, markets.map(\.rawValue))
        }
        isOpen = true
        var taken: [MarketNumber: TakenMarket] = [:]
        for row in results.last! {
            let number = MarketNumber(rawValue: try row.decode(at: 0))
            let (state, closedThrough) = try MarketState.decode(row, from: 1)
            taken[number] = TakenMarket(
                state: state, closedThrough: closedThrough,
                nextExpiry: try row.decode(PostgresTimestamp?.self, at: 8).map { Timestamp($0) })
        }
        return taken
    }

    /// Sends all writes and COMMIT, and returns while they are under way; `Connection.finishDirect` waits for them.
    /// - Parameters:
    ///   - stamp: the latest stamp given, if the database shall hear of it.
    ///   - places: where rows stand; `finishDirect` tells it where they stand then.
    public mutating func send(
        _ writes: BatchWrites, _ moves: [Move], stamp: Timestamp?, places: RowPlaces? = nil
    ) throws {
        let begins = !isOpen
        isOpen = true
        try writes.prepare(connection)
        let copies = writes.needsCopy
        if copies {
            try connection.pipeline { pipeline in
                if begins { try pipeline.begin() }
                try pipeline.move(moves)
            }
            try writes.copyMany(over: connection)
        }
        try connection.startPipeline { pipeline in
            if !copies { try pipeline.move(moves) }
            try writes.sendRest(into: &pipeline, places: places)
            if let stamp { try pipeline.send(SQL.noteStamp, stamp.rawValue) }
            if begins, !copies { try pipeline.commitAtEnd() } else { try pipeline.commit() }
        }
    }

    /// Nothing of it remains.
    public func rollback() { connection.rollback() }
}

extension Connection {
    /// Waits until what `DirectTransaction.send` sent is durable.
    public func finishDirect(_ places: RowPlaces? = nil) throws {
        let results = try finishPipeline()
        try places?.learn(results)
    }
}

extension Pipeline {
    fileprivate mutating func move(_ moves: [DirectTransaction.Move]) throws {
        if moves.count == 1 {
            try move(moves[0])
            return
        }
        try send(
            SQL.moveMarkets, moves.map(\.market.market.number.rawValue), moves.map(\.market.version),
            moves.map(\.before.seq.rawValue), moves.map(\.before.digest.bytes), moves.map(\.after.seq.rawValue),
            moves.map(\.after.tradeID.rawValue), moves.map { $0.after.lastPrice?.rawValue },
            moves.map(\.after.clock.postgres), moves.map(\.after.isHalted), moves.map(\.after.digest.bytes))
    }
}

extension Pipeline {
    private mutating func move(_ move: DirectTransaction.Move) throws {
        let (before, after) = (move.before, move.after)
        try send(
            SQL.moveMarket, move.market.market.number.rawValue, move.market.version, before.seq.rawValue,
            before.digest.bytes, after.seq.rawValue, after.tradeID.rawValue, after.lastPrice?.rawValue,
            after.clock.postgres, after.isHalted, after.digest.bytes)
    }
}

extension PostgresError {
    /// The values of a statement are at fault: too large, of a wrong form, against a constraint.
    var isOfData: Bool {
        guard kind == .server, let state = sqlState, state != .uniqueViolation else { return false }
        // 22 data exception, 23 integrity constraint violation, 54 program limit exceeded.
        return ["22", "23", "54"].contains(state.errorClass)
    }

    /// Somebody else moved a market or its book, or used an id: the same commands may be executed again from what the
    /// rows say now.
    var isConflict: Bool {
        isRetryable || sqlState == SQLState("PB900") || sqlState == .uniqueViolation
            // How move_market says that the market is not where memory has it.
            || sqlState == SQLState("22012")
            // The queue of notifications was filled between a hint and its commit; the next one goes without.
            || sqlState == SQLState("54000")
    }
}

/// How a direct transaction failed.
public enum DirectFailure: Error, Sendable {
    /// Undone; what memory holds was out of date, or an id was used before.
    case conflict
    /// Undone; another session holds what it needs, and did not let go in time.
    case locked(String)
    /// Undone; the server refused what one of its commands would write.
    case unfit(String)
    /// Undone; the server refused it for a reason that no command gave.
    case refused(String)
    /// The connection is gone, and what became of the transaction is not known.
    case unreachable(String)
    /// The task was cancelled; undone.
    case cancelled

    public init(_ error: any Error) {
        switch error {
        case let failure as DirectFailure: self = failure
        case let error as PostgresError where error.isOfServerState: self = .unreachable(error.description)
        case let error as PostgresError where error.isLockTimeout: self = .locked(error.query ?? "")
        case let error as PostgresError where error.isConflict: self = .conflict
        case let error as PostgresError where error.isOfData: self = .unfit(error.description)
        case is CancellationError: self = .cancelled
        default: self = .refused("\(error)")
        }
    }

    /// Of a batch whose commands stood in the log.
    public init(ofLogged error: any Error) {
        if let error = error as? PostgresError, error.sqlState == .uniqueViolation, error.constraint == "outcomes_id" {
            self = .unfit("one of its commands was executed before: \(error.description)")
        } else {
            self.init(error)
        }
    }
}

extension DirectFailure: CustomStringConvertible {
    /// One line for a person.
    public var description: String {
        switch self {
        case .conflict: "others changed the market each time it was tried"
        case .locked: "another session holds what these commands need"
        case .unfit(let words), .refused(let words), .unreachable(let words): words
        case .cancelled: "the matcher is ending"
        }
    }
}
