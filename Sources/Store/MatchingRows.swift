import OrderBook
import Postgres

// Rows of the matching transaction as domain values. The order of columns is that of sql/queries/matching.sql.

extension OrderID {
    init(_ uuid: PostgresUUID) { self.init(high: uuid.high, low: uuid.low) }
    var uuid: PostgresUUID { PostgresUUID(high: high, low: low) }
}

extension Timestamp {
    init(_ time: PostgresTimestamp) { self.init(time.microsecondsSinceUnixEpoch) }
    var postgres: PostgresTimestamp { PostgresTimestamp(microsecondsSinceUnixEpoch: rawValue) }
}

extension Notional {
    init(_ numeric: PostgresNumeric) throws(StoreFault) {
        guard numeric.scale == 0, numeric.unscaled >= 0 else { throw StoreFault("a notional is no sum: \(numeric)") }
        self.init(rawValue: numeric.unscaled)
    }
    var numeric: PostgresNumeric { PostgresNumeric(unscaled: rawValue, scale: 0) }
}

/// A row that this program could not have written.
public struct StoreFault: Error, CustomStringConvertible, Sendable {
    public let description: String
    init(_ description: String) { self.description = description }
}

extension MarketState {
    /// Columns of lock_market, of which the fifth is `closed_through`, beginning at a column of the row.
    static func decode(_ row: Row, from first: Int = 0) throws -> (state: MarketState, closedThrough: Timestamp) {
        var columns = row.reader()
        columns.skip(first)
        var state = MarketState()
        state.seq = Seq(try columns.number("seq", 0...Bounds.numberMax))
        state.tradeID = TradeID(try columns.number("trade_id", 0...Bounds.numberMax))
        state.lastPrice = try columns.numberIfAny("last_price", 1...Bounds.priceMax).map { PriceTicks($0) }
        state.clock = try columns.timeSinceEver("clock")
        let closedThrough = try columns.timeSinceEver("closed_through")
        state.isHalted = try columns.next()
        let bytes = try columns.next([UInt8].self)
        guard let digest = Digest(bytes: bytes) else { throw StoreFault("a digest of \(bytes.count) bytes") }
        state.digest = digest
        return (state, closedThrough)
    }
}

extension RestingOrder {
    /// Columns of load_best and its siblings.
    static func decode(_ row: Row) throws -> RestingOrder {
        var columns = row.reader()
        let id = OrderID(try columns.next(PostgresUUID.self))
        let user = UserID(try columns.name("user_id"))
        let side = try decodeSide(try columns.next())
        return RestingOrder(
            id: id, user: user, side: side, price: PriceTicks(try columns.number("price", 1...Bounds.priceMax)),
            amount: AmountLots(try columns.number("amount", 1...Bounds.amountMax)),
            filled: AmountLots(try columns.number("filled", 0...Bounds.amountMax)),
            dropped: AmountLots(try columns.number("dropped", 0...Bounds.amountMax)),
            notional: try Notional(try columns.next(PostgresNumeric.self)),
            priority: Seq(try columns.number("priority", 0...Bounds.numberMax)),
            expires: try columns.timeIfAny("expires"),
            postOnly: try columns.next(),
            selfTradePrevention: try decodePrevention(try columns.next()))
    }
}

func decodeSide(_ code: Int16) throws(StoreFault) -> Side {
    guard let raw = UInt8(exactly: code), let side = Side(rawValue: raw) else { throw StoreFault("side \(code)") }
    return side
}

func decodePrevention(_ code: Int16?) throws(StoreFault) -> SelfTradePrevention? {
    guard let code else { return nil }
    guard let raw = UInt8(exactly: code), let mode = SelfTradePrevention(rawValue: raw) else {
        throw StoreFault("self-trade prevention \(code)")
    }
    return mode
}

extension Command {
    /// Columns of take_due, from `id` on.
    static func decode(_ columns: inout RowReader, market: String) throws -> Command {
        let id = OrderID(try columns.next(PostgresUUID.self))
        let time = try columns.time("time")
        let action = try ActionColumns(&columns)
        let user = UserID(try columns.name("user_id"))
        let owner = try columns.nameIfAny("owner")
        let clientOrderID = try columns.nameIfAny("client_order_id")
        let origin = try columns.next(String.self)
        guard let decoded = action.action(owner: owner) else {
            throw StoreFault("command \(id) of kind \(action.kind) cannot be read")
        }
        return Command(
            id: id, time: time, market: market, user: user, origin: origin, clientOrderID: clientOrderID,
            action: decoded)
    }
}

/// The columns of a command that say what is to be done.
private struct ActionColumns {
    let kind: Int16
    let side: Side?
    let execType: Int16?
    let timeInForce: Int16?
    let prevention: SelfTradePrevention?
    let change: Int16?
    let postOnly: Bool?
    let amount: AmountLots?
    let price: PriceTicks?
    let target: OrderID?
    let expires: Timestamp?

    init(_ columns: inout RowReader) throws {
        kind = try columns.next()
        side = try columns.next(Int16?.self).map { try decodeSide($0) }
        execType = try columns.next()
        timeInForce = try columns.next()
        prevention = try decodePrevention(try columns.next())
        change = try columns.next()
        postOnly = try columns.next()
        amount = try columns.numberIfAny("amount", 1...Bounds.amountMax).map { AmountLots($0) }
        price = try columns.numberIfAny("price", 1...Bounds.priceMax).map { PriceTicks($0) }
        target = try columns.next(PostgresUUID?.self).map { OrderID($0) }
        expires = try columns.timeIfAny("expires")
    }

    func action(owner: String?) -> Command.Action? {
        switch kind {
        case 1: place
        case 2: amend
        case 3: target.map { .cancel($0) }
        case 4: .cancelAll(CancelAll(owner: owner.map { UserID($0) }, side: side))
        case 5: .halt
        case 6: .resume
        case 7: .expire
        default: nil
        }
    }

    private var place: Command.Action? {
        guard let side, let amount, let timeInForce, let tif = TimeInForce(code: timeInForce, expires: expires),
            (execType == 0) == (price == nil)
        else { return nil }
        return .place(
            Place(
                side: side, price: price, amount: amount, timeInForce: tif, postOnly: postOnly ?? false,
                selfTradePrevention: prevention))
    }

    private var amend: Command.Action? {
        guard let target, let change, let decoded = Amend.Change(code: change, amount: amount, price: price) else {
            return nil
        }
        return .amend(Amend(target: target, change: decoded))
    }
}
