public import OrderBook
public import Postgres

/// An outcome as it stands in the table, with its command.
public struct StoredExecution: Sendable {
    public var seq: Seq
    public var id: OrderID
    /// Nil for a number that no code has.
    public var outcome: Outcome?
    public var digestHead: UInt64
    /// Nil if the log has no such command in this market, or has it and it cannot be read.
    public var command: Command?
    /// Why its command cannot be read.
    public var fault: String?
}

/// One market's tables, page by page, as one transaction sees them. For `verify` and for whoever replays a log.
public struct StoredMarket {
    let connection: Connection
    public let market: Market

    public init(_ connection: Connection, market: Market) {
        self.connection = connection
        self.market = market
    }

    var number: Int16 { market.number.rawValue }

    public func state() throws -> MarketState {
        try MarketState.decode(try connection.execute(SQL.verifyState, number).one()).state
    }

    /// Executions in order of `seq`.
    public func executions(after seq: Seq, max: Int) throws -> [StoredExecution] {
        try connection.execute(SQL.verifyExecutions, number, seq.rawValue, Int64(max)).map { row in
            var columns = row.reader()
            let seq = Seq(try columns.next())
            let id = OrderID(try columns.next(PostgresUUID.self))
            let code = OutcomeCode(rawValue: try columns.next())
            let filled = AmountLots(try columns.next())
            let remaining = AmountLots(try columns.next())
            let dropped = AmountLots(try columns.next())
            let notional = try Notional(try columns.next(PostgresNumeric.self))
            let head = UInt64(bitPattern: try columns.next(Int64.self))
            let isLogged: Bool = try columns.next()
            let command = Result { isLogged ? try Command.decode(&columns, market: market.symbol) : nil }
            var fault: String?
            if case .failure(let error) = command { fault = plainReason(error) }
            return StoredExecution(
                seq: seq, id: id,
                outcome: code.map {
                    Outcome(code: $0, filled: filled, remaining: remaining, dropped: dropped, notional: notional)
                },
                digestHead: head, command: (try? command.get()) ?? nil, fault: fault)
        }
    }

    /// Outcomes in order of `seq`.
    public func outcomes(after seq: Seq, max: Int) throws -> [(id: OrderID, outcome: Outcome)] {
        try connection.execute(SQL.readOutcomes, number, seq.rawValue, Int64(max)).map { row in
            let number: Int16 = try row.decode(at: 1)
            guard let code = OutcomeCode(rawValue: number) else { throw StoreFault("outcome code \(number)") }
            let outcome = Outcome(
                code: code, filled: AmountLots(try row.decode(at: 2)), remaining: AmountLots(try row.decode(at: 3)),
                dropped: AmountLots(try row.decode(at: 4)),
                notional: try Notional(try row.decode(PostgresNumeric.self, at: 5)))
            return (OrderID(try row.decode(PostgresUUID.self, at: 0)), outcome)
        }
    }

    /// The trades of a span in order of time and number, beyond a place.
    public func trades(
        in span: Range<Timestamp>, after place: (time: Timestamp, id: TradeID), max: Int
    ) throws -> [Trade] {
        try connection.execute(
            SQL.verifyTrades, number, place.time.postgres, place.id.rawValue, Int64(max), span.lowerBound.postgres,
            span.upperBound.postgres
        ).map(Trade.decode)
    }

    /// The rows of orders that left the book, of those asked for.
    public func closed(_ ids: [OrderID]) throws -> [ClosedRow] {
        try connection.execute(SQL.verifyClosed, number, ids.map(\.uuid)).map(ClosedRow.decode)
    }

    public func closedCount() throws -> Int64 {
        try connection.execute(SQL.verifyClosedCount, number).one().decode(at: 0)
    }

    /// Resting orders of a side, best first, beyond a place.
    public func book(
        _ side: Side, beyond place: (price: PriceTicks, priority: Seq)?, max: Int
    ) throws -> [RestingOrder] {
        let rank = place.map { side == .bid ? -$0.price.rawValue : $0.price.rawValue } ?? .min
        return try connection.execute(
            SQL.verifyBook, number, Int16(side.rawValue), rank, place?.priority.rawValue ?? .min, Int64(max)
        ).map(RestingOrder.decode)
    }

    /// Candles in order of time.
    public func candles(after time: Timestamp, max: Int) throws -> [Candle] {
        try connection.execute(SQL.verifyCandles, number, time.postgres, Int64(max)).map(Candle.decode)
    }

    /// A command that neither waits nor has an outcome, if there is one.
    public func lostCommand() throws -> OrderID? {
        try connection.execute(SQL.verifyLost, number).first.map { OrderID(try $0.decode(PostgresUUID.self, at: 0)) }
    }

    /// A command that waits although it has an outcome, if there is one.
    public func commandWaitingTwice() throws -> OrderID? {
        try connection.execute(SQL.verifyTwice, number).first.map { OrderID(try $0.decode(PostgresUUID.self, at: 0)) }
    }

    /// Sums in lots.
    public struct Fills: Sendable {
        public var traded: Int128
        public var taken: Int128
        public var unbalancedOrders: Int64
        public var filled: Int128
    }

    public func fills() throws -> Fills {
        let row = try connection.execute(SQL.verifyFills, number).one()
        return Fills(
            traded: try row.decode(PostgresNumeric.self, at: 0).unscaled,
            taken: try row.decode(PostgresNumeric.self, at: 1).unscaled, unbalancedOrders: try row.decode(at: 2),
            filled: try row.decode(PostgresNumeric.self, at: 3).unscaled)
    }
}

/// A row of `closed`: what a `ClosedOrder` leaves behind.
public struct ClosedRow: Hashable, Sendable {
    public var id: OrderID
    public var seq: Seq
    public var price: PriceTicks
    public var amount: AmountLots
    public var filled: AmountLots
    public var dropped: AmountLots
    public var reason: Int16
    public var notional: Notional

    public init(_ closed: ClosedOrder) {
        id = closed.order.id
        seq = closed.seq
        price = closed.order.price
        amount = closed.order.amount
        filled = closed.order.filled
        dropped = closed.order.dropped
        reason = closed.reason.rawValue
        notional = closed.order.notional
    }

    init(_ row: Row) throws {
        var columns = row.reader()
        id = OrderID(try columns.next(PostgresUUID.self))
        seq = Seq(try columns.next())
        price = PriceTicks(try columns.next())
        amount = AmountLots(try columns.next())
        filled = AmountLots(try columns.next())
        dropped = AmountLots(try columns.next())
        reason = try columns.next()
        notional = try Notional(try columns.next(PostgresNumeric.self))
    }

    static func decode(_ row: Row) throws -> ClosedRow { try ClosedRow(row) }
}

extension Trade {
    static func decode(_ row: Row) throws -> Trade {
        var columns = row.reader()
        return Trade(
            id: TradeID(try columns.next()), seq: Seq(try columns.next()),
            time: Timestamp(try columns.next(PostgresTimestamp.self)),
            takerOrder: OrderID(try columns.next(PostgresUUID.self)),
            makerOrder: OrderID(try columns.next(PostgresUUID.self)), takerUser: UserID(try columns.next()),
            makerUser: UserID(try columns.next()), takerSide: try decodeSide(try columns.next()),
            price: PriceTicks(try columns.next()), amount: AmountLots(try columns.next()),
            bestBid: try columns.next(Int64?.self).map { PriceTicks($0) },
            bestAsk: try columns.next(Int64?.self).map { PriceTicks($0) })
    }
}

extension Candle {
    static func decode(_ row: Row) throws -> Candle {
        var columns = row.reader()
        return Candle(
            time: Timestamp(try columns.next(PostgresTimestamp.self)), open: PriceTicks(try columns.next()),
            high: PriceTicks(try columns.next()), low: PriceTicks(try columns.next()),
            close: PriceTicks(try columns.next()), volume: try columns.next(PostgresNumeric.self).unscaled,
            notional: try Notional(try columns.next(PostgresNumeric.self)), trades: try columns.next(),
            firstTrade: TradeID(try columns.next()), lastTrade: TradeID(try columns.next()),
            takerBuyVolume: try columns.next(PostgresNumeric.self).unscaled,
            takerBuyNotional: try Notional(try columns.next(PostgresNumeric.self)))
    }
}
