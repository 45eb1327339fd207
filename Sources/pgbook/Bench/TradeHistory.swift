import OrderBook

/// Trades of one market over some days, made from a seed: a price that walks at random, ties at one microsecond, trades
/// at the very beginning of minutes and days and at the very end of days.
struct TradeHistory {
    private static let dayMicroseconds: Int64 = 86_400_000_000
    private static let minuteMicroseconds: Int64 = 60_000_000
    private static let users = (0..<100).map { UserID("trader-\($0)") }

    private var random: SplitMix
    private var price: Int64
    private(set) var last: Trade?
    private var seq: Int64 = 0

    /// - Parameter seed: another one for each market.
    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        price = random.next(in: 50_000...2_000_000)
    }

    /// The trades of one day, so many of them.
    /// - Parameter day: its beginning in UTC, above all days before.
    mutating func trades(of day: Timestamp, count: Int) -> [Trade] {
        var trades: [Trade] = []
        trades.reserveCapacity(count)
        let step = Self.dayMicroseconds / Int64(max(1, count))
        var time = day.rawValue
        for index in 0..<count {
            let begins = day.rawValue + Int64(index) * step
            switch random.next(in: 0...63) {
            // The same microsecond as the one before, often as a fill of the same taker.
            case 0...7 where index > 0: break
            case 8: time = max(time, begins - begins % Self.minuteMicroseconds)
            case 9 where index == count - 1: time = day.rawValue + Self.dayMicroseconds - 1
            default: time = max(time, begins + random.next(in: 0...step - 1))
            }
            trades.append(trade(at: Timestamp(time)))
        }
        return trades
    }

    private mutating func trade(at time: Timestamp) -> Trade {
        price = max(1_000, price + random.next(in: -3...3))
        let side: Side = random.next(in: 0...1) == 0 ? .bid : .ask
        let spread = random.next(in: 1...5)
        let isSameTaker = last.map { $0.time == time && $0.takerSide == side } ?? false
        if !isSameTaker { seq += 2 }
        // The taker pays the best price of the other side.
        let bid = side == .bid ? price - spread : price
        let trade = Trade(
            id: TradeID((last?.id.rawValue ?? 0) + 1), seq: Seq(seq), time: time,
            takerOrder: isSameTaker ? last!.takerOrder : order(at: time), makerOrder: order(at: time),
            takerUser: isSameTaker ? last!.takerUser : user(), makerUser: user(), takerSide: side,
            price: PriceTicks(price), amount: AmountLots(random.next(in: 1...1_000_000)),
            bestBid: side == .bid && random.next(in: 0...99) == 0 ? nil : PriceTicks(bid),
            bestAsk: side == .ask && random.next(in: 0...99) == 0 ? nil : PriceTicks(bid + spread))
        last = trade
        return trade
    }

    private mutating func order(at time: Timestamp) -> OrderID {
        OrderID(
            high: UInt64(time.rawValue / 1000) << 16 | 0x7000 | random.next() & 0xFFF,
            low: 0x8000_0000_0000_0000 | random.next() >> 2)
    }

    private mutating func user() -> UserID { Self.users[Int(random.next(in: 0...99))] }
}
