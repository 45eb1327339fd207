import History
import OrderBook
import Postgres
import TestRandom
import TestSupport
import Testing

/// A place as the tables hold it, and what became of it.
private struct Order {
    var id: PostgresUUID
    var time: Int64
    var amount: Int64
    /// Executed at once, waited so many microseconds, or waits still.
    var execution: Execution
    var code: Int16
    /// When it left the book other than by a trade.
    var cancelled: Int64?

    enum Execution {
        case atOnce, pending
        case after(Int64)
    }
}

@Suite struct OrderAnalyticsTests {
    /// Orders for the takers and makers of the history, and some that never traded.
    private func orders(_ desk: AnalyticsDesk) -> [Order] {
        var generator = SeededGenerator(seed: desk.seed &+ 2)
        var orders: [Order] = []
        let takers = Dictionary(grouping: desk.trades.all, by: \.seq).values.sorted { $0[0].id < $1[0].id }
        var parts: [(id: PostgresUUID, time: Int64, amount: Int64, before: Int64)] = []
        for trades in takers {
            parts.append((trades[0].takerOrder, trades[0].time, trades.reduce(0) { $0 + $1.amount }, 2_000_000))
        }
        for trade in desk.trades.all { parts.append((trade.makerOrder, trade.time, trade.amount, 7_200_000_000)) }
        for number in 1...100 {
            parts.append((PostgresUUID(high: 3, low: UInt64(number)), generator.pick(desk.trades.all).time, 5, 9))
        }
        for (id, time, amount, before) in parts {
            // Every third one could have had more.
            let more = generator.below(3) == 0 ? Int64(1 + generator.below(100)) : 0
            let placed = time - Int64(generator.below(Int(before)))
            let code = generator.pick([1, 1, 1, 2, 3, 103, 108] as [Int16])
            orders.append(
                Order(
                    id: id, time: placed, amount: amount + more,
                    execution: generator.pick([.atOnce, .after(Int64(generator.below(50_000))), .after(7), .pending]),
                    code: code,
                    cancelled: code == 1 && more > 0 && generator.below(2) == 0
                        ? time + Int64(generator.below(86_400_000_000)) : nil))
        }
        return orders
    }

    private func insert(_ orders: [Order], into connection: Connection) throws {
        var seq: Int64 = 1_000_000
        for order in orders {
            seq += 1
            switch order.execution {
            case .atOnce: try place(order, seq: seq, connection)
            case .pending: try place(order, seq: nil, connection)
            case .after(let wait):
                try place(order, seq: nil, connection)
                try connection.execute(
                    """
                    INSERT INTO pgbook_data.outcomes (id, seq, filled, remaining, dropped, executed_at, market, code, notional,
                                                      digest_head) VALUES ($1, $2, 0, 0, 0, $3, 1, $4, 0, 0)
                    """, order.id, seq, PostgresTimestamp(microsecondsSinceUnixEpoch: order.time + 1000 + wait),
                    order.code)
            }
            guard let cancelled = order.cancelled else { continue }
            seq += 1
            let cancel = PostgresUUID(high: 9, low: UInt64(seq))
            // Half of the cancels were executed at once themselves.
            let atOnce = seq % 2 == 0
            let time = PostgresTimestamp(microsecondsSinceUnixEpoch: cancelled)
            try connection.execute(
                """
                INSERT INTO pgbook_data.commands (id, time, accepted_at, market, kind, target, user_id, origin, seq, code)
                VALUES ($1, $2, $2, 1, 3, $3, 'u', 'node-1', $4, $5)
                """, cancel, time, order.id, atOnce ? seq : nil, atOnce ? Int16(5) : nil)
            if !atOnce {
                try connection.execute(
                    """
                    INSERT INTO pgbook_data.outcomes (id, seq, filled, remaining, dropped, executed_at, market, code, notional,
                                                      digest_head) VALUES ($1, $2, 0, 0, 0, $3, 1, 5, 0, 0)
                    """, cancel, seq, time)
            }
            try connection.execute(
                """
                INSERT INTO pgbook_data.closed (id, seq, price, amount, filled, dropped, market, reason, notional)
                VALUES ($1, $2, 1, $3, 0, 0, 1, 2, 0)
                """, order.id, seq, order.amount)
        }
    }

    private func place(_ order: Order, seq: Int64?, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO pgbook_data.commands (id, time, accepted_at, market, kind, side, exec_type, tif, amount, price,
                                              user_id, origin, seq, code)
            VALUES ($1, $2, $3, 1, 1, 0, 1, 0, $4, 1, 'u', 'node-1', $5, $6)
            """, order.id, PostgresTimestamp(microsecondsSinceUnixEpoch: order.time),
            PostgresTimestamp(microsecondsSinceUnixEpoch: order.time + 1000), order.amount, seq,
            seq == nil ? nil : order.code)
    }

    private func percentile(_ values: [Int64], _ percent: Int) -> String? {
        values.isEmpty ? nil : "\(values.sorted()[(values.count * percent + 99) / 100 - 1])"
    }

    private func groups(
        _ orders: [Order], _ range: Range<Int64>, _ interval: String?
    ) -> [(start: Int64, orders: [Order])] {
        Dictionary(grouping: orders.filter { range.contains($0.time) }) {
            bucketStart($0.time, interval, from: range.lowerBound)
        }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    @Test func `fills tell what became of the orders of a range by its end`() throws {
        let desk = try AnalyticsDesk(count: 300)
        let orders = orders(desk)
        try insert(orders, into: desk.owner())
        for range in desk.ranges() {
            let trades = desk.counted(range)
            var matches: [PostgresUUID: [(time: Int64, amount: Int64)]] = [:]
            for trade in trades {
                matches[trade.takerOrder, default: []].append((trade.time, trade.amount))
                matches[trade.makerOrder, default: []].append((trade.time, trade.amount))
            }
            let accepted = orders.filter { order in
                if case .pending = order.execution { return false }
                return order.code <= 100
            }
            for interval in [nil, "1h", "1d"] {
                let expected: [[String?]] = groups(accepted, range, interval).map { start, orders in
                    let filled = orders.map { order in matches[order.id, default: []].reduce(0) { $0 + $1.amount } }
                    let firsts = orders.compactMap { order in
                        matches[order.id]?.map(\.time).min().map { $0 - order.time }
                    }
                    let cancelled = orders.filter { $0.code == 3 || $0.cancelled.map { $0 < range.upperBound } == true }
                    let amount = orders.reduce(Int128(0)) { $0 + Int128($1.amount) }
                    return [
                        timeText(start), "\(orders.count)", "\(firsts.count)",
                        "\(zip(filled, orders).filter { $0 >= $1.amount }.count)", "\(cancelled.count)",
                        quotientText(filled.reduce(Int128(0)) { $0 + Int128($1) }, amount, 6),
                        quotientText(Int128(cancelled.count), Int128(orders.count), 6), percentile(firsts, 50),
                        percentile(firsts, 99),
                    ]
                }
                #expect(
                    try desk.rows(.fills(interval.map { AnalyticsBuckets($0) }), range) == expected,
                    "seed \(desk.seed), \(range), by \(interval ?? "nothing")")
            }
        }
    }

    @Test func `latency is that of commands that waited`() throws {
        let desk = try AnalyticsDesk(count: 300)
        let orders = orders(desk).map { order in
            var order = order
            order.cancelled = nil
            return order
        }
        try insert(orders, into: desk.owner())
        for range in desk.ranges() {
            for interval in [nil, "1h", "1d"] {
                let executed = orders.filter { if case .pending = $0.execution { false } else { true } }
                let expected: [[String?]] = groups(executed, range, interval).map { start, orders in
                    let waits = orders.compactMap { order -> Int64? in
                        if case .after(let wait) = order.execution { wait } else { nil }
                    }
                    return [
                        timeText(start), "\(orders.count - waits.count)", "\(waits.count)", percentile(waits, 50),
                        percentile(waits, 99), waits.max().map { "\($0)" },
                    ]
                }
                #expect(
                    try desk.rows(.latency(interval.map { AnalyticsBuckets($0) }), range) == expected,
                    "seed \(desk.seed), \(range), by \(interval ?? "nothing")")
            }
        }
    }
}
