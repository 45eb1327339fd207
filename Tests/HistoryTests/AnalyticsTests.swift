import History
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private let intervals: [String?] = [nil, "1s", "1m", "5m", "1h", "12h", "1d", "1w", "1M"]

/// Each analytics function against the same computed from the trades one by one.
@Suite struct AnalyticsTests {
    /// The trades of a range by bucket, in order.
    private func buckets(
        _ desk: AnalyticsDesk, _ range: Range<Int64>, _ interval: String?
    ) -> [(start: Int64, trades: [RandomTrade])] {
        let groups = Dictionary(grouping: desk.counted(range)) {
            bucketStart($0.time, interval, from: range.lowerBound)
        }
        return groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    @Test(arguments: [false, true])
    func `ohlcv, vwap and flow are those of the trades in the range`(closed: Bool) throws {
        let desk = try AnalyticsDesk()
        // Composed from days and hours, or from minutes: the same.
        if closed { try desk.owner().execute("SELECT pgbook_data.close_candles(1::smallint)") }
        for range in desk.ranges() {
            for interval in intervals {
                let by = interval.map { AnalyticsBuckets($0) }
                let groups = buckets(desk, range, interval)
                let volumes = groups.map { $0.trades.reduce(Int128(0)) { $0 + Int128($1.amount) } }
                let notionals = groups.map {
                    $0.trades.reduce(Int128(0)) { $0 + Int128($1.amount) * Int128($1.price) }
                }
                let bought = groups.map { $0.trades.filter(\.isBuy) }
                let buys = bought.map { $0.reduce(Int128(0)) { $0 + Int128($1.amount) } }
                let buyNotionals = bought.map { $0.reduce(Int128(0)) { $0 + Int128($1.amount) * Int128($1.price) } }
                let averages = zip(notionals, volumes).map { quotientText($0 * 5, $1 * 10, 12) }
                let comment: Comment = "seed \(desk.seed), \(range), by \(interval ?? "nothing")"
                #expect(
                    try desk.rows(.vwap(by), range)
                        == groups.indices.map {
                            [
                                timeText(groups[$0].start), averages[$0], amountText(volumes[$0]),
                                notionalText(notionals[$0]), "\(groups[$0].trades.count)",
                            ]
                        }, comment)
                #expect(
                    try desk.rows(.flow(by), range)
                        == groups.indices.map {
                            [
                                timeText(groups[$0].start), quotientText(2 * buys[$0] - volumes[$0], volumes[$0], 12),
                                amountText(volumes[$0]), amountText(buys[$0]), amountText(volumes[$0] - buys[$0]),
                                "\(groups[$0].trades.count)",
                            ]
                        }, comment)
                #expect(
                    try desk.rows(.ohlcv(by), range)
                        == groups.indices.map { index in
                            let trades = groups[index].trades
                            return [
                                timeText(groups[index].start), priceText(trades[0].price),
                                priceText(trades.map(\.price).max()!), priceText(trades.map(\.price).min()!),
                                priceText(trades[trades.count - 1].price), amountText(volumes[index]),
                                notionalText(notionals[index]), "\(trades.count)", averages[index],
                                amountText(buys[index]), notionalText(buyNotionals[index]),
                            ]
                        }, comment)
            }
        }
    }

    @Test func `twap weighs each price by the time it held inside the range`() throws {
        let desk = try AnalyticsDesk()
        for range in desk.ranges() {
            for interval in intervals where interval != "1s" || range.count < 7_200_000_000 {
                let rows = try desk.rows(.twap(interval.map { AnalyticsBuckets($0) }), range)
                #expect(rows == twap(desk, range, interval), "seed \(desk.seed), \(range), by \(interval ?? "nothing")")
            }
        }
    }

    /// Holds each price from its trade to the next, and cuts that at the edges of buckets.
    private func twap(_ desk: AnalyticsDesk, _ range: Range<Int64>, _ interval: String?) -> [[String?]] {
        var sums: [Int64: (weighted: Int128, held: Int128)] = [:]
        let trades = desk.trades.counted
        for (index, trade) in trades.enumerated() {
            var time = max(trade.time, range.lowerBound)
            let end = min(index + 1 < trades.count ? trades[index + 1].time : .max, range.upperBound)
            while time < end {
                let start = bucketStart(time, interval, from: range.lowerBound)
                let next = interval.map { nextStart(after: start, $0) } ?? .max
                let until = min(end, next)
                sums[start, default: (0, 0)].weighted += Int128(trade.price) * Int128(until - time)
                sums[start, default: (0, 0)].held += Int128(until - time)
                time = until
            }
        }
        return sums.sorted { $0.key < $1.key }.map { start, sum in
            [timeText(start), quotientText(sum.weighted * 5, sum.held * 10, 12), decimalText(sum.held, 6)]
        }
    }

    private func nextStart(after start: Int64, _ interval: String) -> Int64 {
        let day: Int64 = 86_400_000_000
        guard let seconds = CandleInterval(rawValue: interval)?.seconds else {
            return bucketStart(start + 32 * day, interval, from: 0)
        }
        return start + seconds * 1_000_000
    }

    @Test func `the volume profile covers the range of prices, and its value area holds 70 percent`() throws {
        let desk = try AnalyticsDesk()
        for range in desk.ranges() {
            for bins in [1, 2, 7, 24, 1000] {
                let rows = try desk.rows(.volumeProfile(bins: bins), range)
                #expect(rows == profile(desk.counted(range), bins), "seed \(desk.seed), \(range), \(bins) bins")
            }
        }
    }

    private func profile(_ trades: [RandomTrade], _ bins: Int) -> [[String?]] {
        guard let low = trades.map(\.price).min(), let high = trades.map(\.price).max() else { return [] }
        let width = (high - low + Int64(bins)) / Int64(bins)
        let groups = (0...(high - low) / width).map { bin in trades.filter { ($0.price - low) / width == bin } }
        let volumes = groups.map { $0.reduce(Int128(0)) { $0 + Int128($1.amount) } }
        let total = volumes.reduce(0, +)
        // The fullest; of equal ones the nearest to the middle, then the lower.
        let center = volumes.indices.min {
            let (a, b) = (abs(2 * $0 - volumes.count + 1), abs(2 * $1 - volumes.count + 1))
            return volumes[$0] != volumes[$1] ? volumes[$0] > volumes[$1] : a != b ? a < b : $0 < $1
        }!
        var area = center...center
        while volumes[area].reduce(0, +) * 10 < total * 7 {
            let below = area.lowerBound > 0 ? volumes[area.lowerBound - 1] : -1
            let above = area.upperBound < volumes.count - 1 ? volumes[area.upperBound + 1] : -1
            area = above >= below ? area.lowerBound...area.upperBound + 1 : area.lowerBound - 1...area.upperBound
        }
        return groups.indices.map { bin in
            let lowest = low + Int64(bin) * width
            return [
                priceText(lowest), priceText(lowest + width - 1), "\(groups[bin].count)", amountText(volumes[bin]),
                amountText(groups[bin].filter(\.isBuy).reduce(0) { $0 + $1.amount }),
                quotientText(volumes[bin], total, 6), bin == center ? "t" : "f", area.contains(bin) ? "t" : "f",
            ]
        }
    }

    @Test func `sizes count trades by powers of two, and percentiles are amounts that occur`() throws {
        let desk = try AnalyticsDesk()
        for range in desk.ranges() {
            let amounts = desk.counted(range).map(\.amount).sorted()
            func percentile(_ percent: Int) -> String { amountText(amounts[(amounts.count * percent + 99) / 100 - 1]) }
            let groups = Dictionary(grouping: amounts) { Int64.bitWidth - 1 - $0.leadingZeroBitCount }
            let expected: [[String?]] = groups.sorted { $0.key < $1.key }.map { power, group in
                let upTo = amounts.filter { $0 < Int64(2) << power }.count
                return [
                    amountText(Int64(1) << power), amountText(Int64(2) << power), "\(group.count)",
                    amountText(group.reduce(0, +)), quotientText(Int128(upTo), Int128(amounts.count), 6),
                    percentile(50), percentile(90), percentile(99),
                ]
            }
            #expect(try desk.rows(.sizes, range) == expected, "seed \(desk.seed), \(range)")
        }
    }

    @Test func `top ranks users by what they made and took`() throws {
        let desk = try AnalyticsDesk()
        for range in desk.ranges() {
            let trades = desk.counted(range)
            let total = trades.reduce(Int128(0)) { $0 + Int128($1.amount) }
            func sum(_ trades: [RandomTrade]) -> Int128 { trades.reduce(0) { $0 + Int128($1.amount) } }
            let users = Set(trades.flatMap { [$0.taker, $0.maker] }).map { user in
                let (made, taken) = (trades.filter { $0.maker == user }, trades.filter { $0.taker == user })
                return (user: user, made: made, taken: taken, volume: sum(made) + sum(taken))
            }
            let expected: [[String?]] = users.sorted {
                $0.volume != $1.volume ? $0.volume > $1.volume : $0.user < $1.user
            }
            .map {
                let notional = ($0.made + $0.taken).reduce(Int128(0)) { $0 + Int128($1.amount) * Int128($1.price) }
                return [
                    $0.user, amountText($0.volume), notionalText(notional), "\($0.made.count + $0.taken.count)",
                    amountText(sum($0.made)), amountText(sum($0.taken)), quotientText(sum($0.made), $0.volume, 6),
                    quotientText($0.volume, 2 * total, 6),
                ]
            }
            #expect(try desk.rows(.top(users: 20), range) == expected, "seed \(desk.seed), \(range)")
            #expect(try desk.rows(.top(users: 2), range) == Array(expected.prefix(2)))
        }
    }

    @Test func `without bounds the range is the day that ends with the last trade`() throws {
        let desk = try AnalyticsDesk(count: 300)
        let last = desk.trades.counted[desk.trades.counted.count - 1].time + 1
        let day = try desk.rows(.ohlcv(nil), last - 86_400_000_000..<last)
        let all = try desk.rows(.ohlcv(nil), 0..<last)
        func run(_ range: AnalyticsRange) throws -> [[String?]] {
            var rows: [[String?]] = []
            try Analytics(desk.connection).run(
                .ohlcv(nil), of: range, columns: { _ in }, forEach: { rows.append($0) })
            return rows
        }
        #expect(try run(AnalyticsRange(market: "M")) == day)
        #expect(
            try run(AnalyticsRange(market: "M", from: .beginning)).map { $0.dropFirst() } == all.map { $0.dropFirst() })
        #expect(try run(AnalyticsRange(market: "M", from: .time(Timestamp(last + 5)))) == [])
    }

    @Test func `the largest prices and amounts do not overflow`() throws {
        let desk = try AnalyticsDesk(count: 1)
        try desk.owner().executeSimple(
            """
            DELETE FROM pgbook_data.trades; DELETE FROM pgbook_data.candles_1m;
            INSERT INTO pgbook_data.trades (time, trade_id, price, amount, market, taker_side)
            SELECT timestamptz '2025-01-01 00:00:00.5Z', n, 1000000000000, 1000000000000000000, 1, 0
            FROM generate_series(1, 4) n;
            """)
        let start: Int64 = 1_735_689_600_000_000
        let rows = try desk.rows(.vwap(nil), start..<start + 1_000_000)
        // 4 × 10^18 lots of 0.001, at 10^12 ticks of 0.5: as much as one trade may be worth.
        #expect(
            rows == [
                [
                    timeText(start), "500000000000", "4000000000000000", "2000000000000000000000000000", "4",
                ]
            ])
        #expect(try desk.rows(.volumeProfile(bins: 10), start..<start + 1_000_000).count == 1)
        #expect(try desk.rows(.sizes, start..<start + 1_000_000).count == 1)
    }

    @Test(arguments: [
        ("1s", "UTC"), ("15m", "UTC"), ("1d", "UTC"), ("1d", "Europe/Berlin"), ("1d", "Asia/Kathmandu"),
        ("1w", "America/New_York"), ("1M", "Australia/Lord_Howe"),
    ])
    func `of whole buckets, ohlcv has the candles' rows`(interval: String, timeZone: String) throws {
        // Over the days in which clocks change in the north.
        let desk = try AnalyticsDesk(seed: .random(in: 0 ... .max), count: 400, from: 1_742_000_000_000_000)
        let (first, last) = (desk.trades.all[0].time, desk.trades.all[desk.trades.all.count - 1].time)
        let range = first - 40 * 86_400_000_000..<last + 40 * 86_400_000_000
        let candles = try desk.connection.execute(
            """
            SELECT array[time::text, open::text, high::text, low::text, close::text, volume::text, quote_volume::text, trades::text,
                         vwap::text, taker_buy_volume::text, taker_buy_quote_volume::text]
            FROM pgbook.candles('M', $1, $2, $3, tz => $4)
            """, interval, PostgresTimestamp(microsecondsSinceUnixEpoch: range.lowerBound),
            PostgresTimestamp(microsecondsSinceUnixEpoch: range.upperBound), timeZone)
        let rows = try desk.rows(.ohlcv(AnalyticsBuckets(interval, timeZone: timeZone)), range)
        #expect(try rows == candles.map { try $0.decode([String?].self, at: 0) }, "seed \(desk.seed)")
        #expect(rows.count > 0)
        // What holds until the end of a bucket holds at the beginning of the next: the whole range is covered.
        let held = try desk.rows(.twap(AnalyticsBuckets(interval, timeZone: timeZone)), first..<last)
        let seconds = try held.map { try #require(Double($0[2] ?? "")) }.reduce(0, +)
        let from = desk.trades.counted[0].time
        #expect(abs(seconds - Double(last - from) / 1_000_000) < 0.001, "seed \(desk.seed)")
    }

    @Test func `an imported history has no users and no quotes, and is analyzed for all that`() throws {
        let desk = try AnalyticsDesk(count: 1)
        try desk.owner().executeSimple(
            """
            DELETE FROM pgbook_data.trades; DELETE FROM pgbook_data.candles_1m;
            INSERT INTO pgbook_data.trades (time, trade_id, price, amount, market, taker_side)
            SELECT timestamptz '2025-01-01 00:00:00Z' + n * interval '1 second', n * 1000, 100 + n, 3, 1, n % 2
            FROM generate_series(1, 10) n;
            """)
        let start: Int64 = 1_735_689_600_000_000
        let range = start..<start + 10_000_000
        let horizons: [Int64] = [1_000_000]
        #expect(try desk.rows(.top(users: 5), range) == [])
        #expect(try desk.rows(.slippage, range).count == 9)
        #expect(try desk.rows(.slippage, range)[8][1...3] == [nil, nil, "ask"])
        #expect(try desk.rows(.spread(horizonMicroseconds: 1, nil), range) == [])
        #expect(
            try desk.rows(.markout(horizonsMicroseconds: horizons, against: .mid, nil), range)
                == [[timeText(start), "00:00:01", "9", "0", nil, nil]])
        // Five of nine takers sold before the price rose by a tick, four bought.
        #expect(
            try desk.rows(.markout(horizonsMicroseconds: horizons, against: .last, nil), range)[0][3...4]
                == ["9", "-0.055555555556"])
    }

    @Test(arguments: [
        ("N", "2025-03-01", "2025-03-02", "1h", OutcomeCode.unknownMarket, "there is no market 'N'"),
        ("M", "2025-03-02", "2025-03-02", "1h", .badValue, "is not before to"),
        ("M", "2025-03-03", "2025-03-02", "1h", .badValue, "is not before to"),
        ("M", "2025-03-01", "2025-03-02", "7m", .badValue, "interval '7m' is unknown; use 1s, 1m"),
        ("M", "2025-03-01", "2025-03-02", "1mon", .badValue, "interval '1mon' is unknown; use 1s, 1m"),
    ])
    func `what makes no sense is refused on one line`(
        market: String, from: String, to: String, by: String, code: OutcomeCode, message: String
    ) throws {
        let desk = try AnalyticsDesk(count: 10)
        func time(_ text: String) throws -> Timestamp {
            let time: PostgresTimestamp = try desk.connection.execute("SELECT $1::text::timestamptz", text).one()
                .decode(at: 0)
            return Timestamp(time.microsecondsSinceUnixEpoch)
        }
        let buckets = AnalyticsBuckets(by)
        for statistic in [Statistic.ohlcv(buckets), .vwap(buckets), .twap(buckets), .flow(buckets)] {
            let range = AnalyticsRange(market: market, from: .time(try time(from)), to: try time(to))
            let rejection = #expect(throws: Rejection.self) {
                try Analytics(desk.connection).run(statistic, of: range, columns: { _ in }, forEach: { _ in })
            }
            #expect(rejection?.code == code)
            #expect(rejection?.message.contains(message) == true, "\(rejection?.message ?? "")")
            #expect(rejection?.message.contains("\n") == false)
        }
    }

    @Test func `only the chunks of the range are planned`() throws {
        let desk = try AnalyticsDesk(count: 10)
        let connection = try desk.owner()
        try connection.execute(
            """
            INSERT INTO pgbook_data.trades (time, trade_id, price, amount, market, taker_side)
            SELECT timestamptz '2024-01-01Z' + n * interval '1 day', n, 100, 1, 1, 0 FROM generate_series(1, 60) n
            """)
        let calls = AnalyticsFunction.allCases.map {
            "SELECT count(*) FROM pgbook.\($0.rawValue)('M', \"from\" => '2024-02-01 00:00Z', \"to\" => '2024-02-02 12:00Z')"
        }
        for call in calls {
            // Each chunk that a statement plans stays locked until its transaction ends.
            let chunks: Int64 = try connection.transaction { connection in
                try connection.execute(call)
                return try connection.execute(
                    """
                    SELECT count(DISTINCT l.relation) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                    WHERE l.pid = pg_backend_pid() AND c.relname LIKE '\\_hyper%chunk'
                    """
                ).one().decode(at: 0)
            }
            #expect(chunks <= 4, "\(call) locked \(chunks) chunks")
        }
    }
}
