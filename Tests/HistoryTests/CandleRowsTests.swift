import Foundation
import History
import OrderBook
import Postgres
import Store
import TestRandom
import TestSupport
import Testing

/// When buckets begin, by Foundation instead of PostgreSQL.
private struct Buckets {
    let interval: CandleInterval
    let zone: String

    func start(_ time: Int64) -> Int64 {
        if let seconds = interval.seconds, zone == "UTC" {
            // Monday, 2000-01-03: every shorter bucket divides the time from the epoch to it.
            let (width, monday) = (seconds * 1_000_000, Int64(946_857_600_000_000))
            let rest = (time - monday) % width
            return time - (rest < 0 ? rest + width : rest)
        }
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(identifier: zone)!
        let date = Date(timeIntervalSince1970: Double(time / 1_000_000))
        let unit: Calendar.Component = interval == .day ? .day : interval == .week ? .weekOfYear : .month
        return Int64(calendar.dateInterval(of: unit, for: date)!.start.timeIntervalSince1970) * 1_000_000
    }
}

private let minute: Int64 = 60_000_000
private let hour = 60 * minute
private let day = 24 * hour

@Suite struct CandleRowsTests {
    private func differences(_ history: TradeHistory, _ interval: CandleInterval, zone: String = "UTC") throws {
        let buckets = Buckets(interval: interval, zone: zone)
        let isEqual = try history.candles(interval.rawValue, tz: zone) == history.expected { buckets.start($0) }
        #expect(isEqual, "\(interval.rawValue) \(zone)")
    }

    @Test func `open and close of trades at one microsecond go by their numbers`() throws {
        let history = try TradeHistory()
        for price: Int64 in [7, 9, 3, 5] { try history.add("2026-01-01 00:00:30", price: price, amount: 1) }
        try history.save()
        for interval in CandleInterval.allCases {
            let candle = try #require(try history.candles(interval.rawValue).first)
            #expect(
                [candle.open, candle.high, candle.low, candle.close].map(\.rawValue) == [7, 9, 3, 5],
                "\(interval.rawValue)")
            #expect(candle.firstTrade.rawValue == 1 && candle.lastTrade.rawValue == 4)
        }
    }

    @Test func `sums beyond 64 bits are exact`() throws {
        let history = try TradeHistory()
        let huge = Bounds.amountMax
        for minute in 0..<120 { history.add(Int64(minute) * hour / 60, price: 1_000_003, amount: huge, .bid) }
        try history.save()
        try history.close()
        for interval in CandleInterval.allCases { try differences(history, interval) }
        let candle = try #require(try history.candles("1M").first)
        #expect(candle.volume == 120 * Int128(huge))
        #expect(candle.notional.rawValue == 120 * Int128(huge) * 1_000_003)
    }

    @Test(arguments: [
        ("Europe/Berlin", "2026-03-28 23:00", 23), ("Europe/Berlin", "2026-10-24 22:00", 25),
        ("America/New_York", "2026-03-08 05:00", 23), ("America/New_York", "2026-11-01 04:00", 25),
        ("Asia/Kolkata", "2026-03-28 18:30", 24),
    ])
    func `a local day has as many hours as it has`(zone: String, midnight: String, hours: Int64) throws {
        let history = try TradeHistory()
        let begin = try TradeHistory.micros(midnight)
        for half in -2..<2 * (hours + 1) { history.add(begin + half * hour / 2, price: 5 + half % 3, amount: half + 3) }
        try history.save()
        for isClosed in [false, true] {
            if isClosed { try history.close() }
            let days = try history.candles("1d", from: begin, to: begin + 1, tz: zone)
            #expect(days.map(\.time.rawValue) == [begin])
            #expect(days.first?.trades == 2 * hours)
            for interval in [CandleInterval.day, .week, .month] { try differences(history, interval, zone: zone) }
        }
    }

    @Test func `half-hour clock changes and midnights that come twice make no bucket of their own`() throws {
        // Lord Howe: from 11:00 to 10:30 ahead on 2026-04-05. Azores: from 01:00 back to 00:00 on 2026-10-25.
        for (zone, begin, length) in [
            ("Australia/Lord_Howe", "2026-04-04 13:00", hour * 49 / 2),
            ("Atlantic/Azores", "2026-10-25 00:00", hour * 25),
        ] {
            let history = try TradeHistory()
            let begin = try TradeHistory.micros(begin)
            for time in stride(from: begin - day, to: begin + 2 * day, by: Int(hour / 4)) {
                history.add(Int64(time), price: 5, amount: 1)
            }
            try history.save()
            try history.close()
            let days = try history.candles("1d", from: begin, to: begin + day + 2 * hour, tz: zone)
            #expect(days.map(\.time.rawValue) == [begin, begin + length], "\(zone)")
            #expect(days.first.map { Int64($0.trades) } == length / (hour / 4), "\(zone)")
        }
    }

    @Test func `weeks begin on Monday and months have their own lengths, leap February too`() throws {
        let history = try TradeHistory()
        for time in [
            "1999-12-31 23:59:59.999999", "2000-01-02 23:59:59", "2000-01-03 00:00", "2000-02-29 23:59", "2000-03-01",
            "2024-02-28 12:00", "2024-02-29 12:00", "2024-03-01 00:00", "2026-02-28 23:59:59", "2026-03-01",
            "2026-12-31 23:59:59", "2027-01-01",
        ] {
            try history.add(time, price: 5, amount: 1)
        }
        try history.save()
        for isClosed in [false, true] {
            if isClosed { try history.close() }
            for interval in CandleInterval.allCases { try differences(history, interval) }
        }
        let weeks = try history.candles("1w", to: TradeHistory.micros("2000-01-10"))
        #expect(
            weeks.map(\.time.rawValue) == [
                try TradeHistory.micros("1999-12-27"), try TradeHistory.micros("2000-01-03"),
            ])
        let february = try TradeHistory.micros("2024-02-01")
        #expect(try history.candles("1M", from: february, to: february + 1).first?.trades == 2)
    }

    @Test func `a bucket belongs to a range by its beginning, whole`() throws {
        let history = try TradeHistory()
        for second: Int64 in 0..<600 { history.add(second * 1_000_000, price: 5 + second % 7, amount: 1) }
        try history.save()
        let rows = try history.candles("5m", from: 1, to: 5 * minute + 1)
        #expect(rows.map(\.time.rawValue) == [5 * minute])
        #expect(rows.first?.trades == 300)
        #expect(try history.candles("5m", from: 0, to: 5 * minute).map(\.time.rawValue) == [0])
        #expect(try history.candles("1s", from: minute, to: minute + 3_000_000).count == 3)
        for interval in CandleInterval.allCases {
            #expect(try history.candles(interval.rawValue, from: 20 * day, to: 30 * day).isEmpty, "\(interval)")
            #expect(try history.candles(interval.rawValue, from: day, to: 0).isEmpty, "\(interval)")
        }
    }

    @Test func `candles equal brute force on random histories, whatever is closed`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("candles of random histories: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<6 {
            let history = try TradeHistory()
            let begin = try TradeHistory.micros(
                ["2026-03-27 21:00", "2026-10-24 03:00", "2024-02-27", "2025-12-30 22:00"].randomElement(
                    using: &random)!)
            var time = begin
            for _ in 0..<6 {
                for _ in 0..<Int.random(in: 1...60, using: &random) {
                    // Ties, seconds, hours and gaps of days.
                    time +=
                        [0, 0, 1, 999_999, 31_000_000, hour / 3, 2 * day].randomElement(using: &random)!
                        * Int64.random(in: 0...3, using: &random)
                    history.add(
                        time, price: .random(in: 1...20, using: &random),
                        amount: .random(in: 1...(1 << 40), using: &random), Bool.random(using: &random) ? .bid : .ask)
                }
                try history.save()
                if Bool.random(using: &random) { try history.close(hoursMax: .random(in: 1...60, using: &random)) }
                for _ in 0..<8 {
                    let interval = CandleInterval.allCases.randomElement(using: &random)!
                    let zone =
                        interval.followsTimeZone
                        ? ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"].randomElement(using: &random)!
                        : "UTC"
                    let buckets = Buckets(interval: interval, zone: zone)
                    let from =
                        Bool.random(using: &random) ? Int64.min : Int64.random(in: begin - day...time, using: &random)
                    let to =
                        Bool.random(using: &random) ? Int64.max : Int64.random(in: begin...time + day, using: &random)
                    let stored = try history.candles(interval.rawValue, from: from, to: to, tz: zone)
                    let wanted = history.expected(from: from, to: to) { buckets.start($0) }
                    let first = zip(stored, wanted).first { $0 != $1 }
                    let isEqual = stored == wanted
                    #expect(
                        isEqual,
                        """
                        seed \(seed), \(interval.rawValue) \(zone) [\(from), \(to)): \(stored.count) and \
                        \(wanted.count) candles, first difference \(String(describing: first))
                        """)
                    guard isEqual else { return }
                }
            }
        }
    }

    @Test func `anything but an interval is refused with the list, and a zone where it means nothing`() throws {
        let history = try TradeHistory()
        func refusal(_ bucket: String, _ tz: String = "UTC") -> PostgresError? {
            #expect(throws: PostgresError.self, "\(bucket) \(tz)") { try history.candles(bucket, tz: tz) }
        }
        for bucket in ["7m", "90m", "1y", "", "1 minute", "5M", "1D", "60s", "24h", "'; drop table x"] {
            let error = refusal(bucket)
            #expect(error?.sqlState?.code == "PB117")
            #expect(error?.message.contains("use 1s, 1m, 2m") == true, "\(bucket): \(error?.message ?? "")")
        }
        #expect(refusal("1h", "Europe/Berlin")?.message.contains("1d, 1w and 1M only") == true)
        #expect(refusal("1m", "Europe/Berlin")?.sqlState?.code == "PB117")
        #expect(refusal("1d", "Europe/Berln")?.message.contains("'Europe/Berln' is unknown") == true)
        // What SQL refuses is what the enum does not have.
        for interval in CandleInterval.allCases { #expect(try history.candles(interval.rawValue).isEmpty) }
    }

    @Test func `minutes and closed hours are read by their index, and the planner knows how many`() throws {
        let history = try TradeHistory()
        for minute in 0..<5000 { history.add(Int64(minute) * 60_000_000, price: 5, amount: 1) }
        try history.save()
        try history.close()
        let admin = try history.database.connection()
        try admin.executeSimple("ANALYZE pgbook_data.candles_1m; ANALYZE pgbook_data.candles_1h")
        func plan(_ bucket: String) throws -> String {
            try admin.execute(
                """
                EXPLAIN SELECT * FROM pgbook_data.candle_rows(
                    1::smallint, '\(bucket)', '1970-01-02 00:00Z', '1970-01-02 12:00Z')
                """
            ).map { try $0.decode(String.self, at: 0) }.joined(separator: "\n")
        }
        let minutes = try plan("1m")
        #expect(minutes.contains("candles_1m_bucket") && !minutes.contains("Seq Scan"), "\(minutes)")
        #expect(!minutes.contains("Function Scan"), "\(minutes)")
        let estimate = try #require(minutes.firstMatch(of: /candles_1m m .*rows=(\d+)/).flatMap { Int($0.1) })
        #expect((360...1440).contains(estimate), "of 720 rows: \(minutes)")
        let hours = try plan("1h")
        #expect(hours.contains("candles_1h"), "\(hours)")
        #expect(!hours.contains("composed_candles"), "\(hours)")
    }

    @Test func `hours close as far as the clock, bit by bit, and the days of closed hours with them`() throws {
        let history = try TradeHistory()
        for half: Int64 in 0..<100 { history.add(half * hour / 2, price: 5, amount: half + 1) }
        try history.save()
        // The clock is at 49:30: 49 hours and 2 days have ended.
        #expect(try history.close(hoursMax: 10) == 10)
        #expect(try history.close() == 39)
        #expect(try history.close() == 0)
        let levels = try history.connection.execute(
            """
            SELECT (SELECT count(*) FROM pgbook_data.candles_1h), (SELECT count(*) FROM pgbook_data.candles_1d),
                   closed_1h = 'epoch'::timestamptz + interval '49 hours',
                   closed_1d = 'epoch'::timestamptz + interval '48 hours'
            FROM pgbook_data.candle_levels
            """
        ).one()
        #expect(try levels.decode(Int64.self, at: 0) == 49)
        #expect(try levels.decode(Int64.self, at: 1) == 2)
        #expect(try levels.decode(Bool.self, at: 2) && levels.decode(Bool.self, at: 3))
        try history.connection.execute("SELECT pgbook_data.reopen_candles(1::smallint, '1970-01-02 05:30Z')")
        for interval in CandleInterval.allCases { try differences(history, interval) }
        #expect(try history.close() == 20)
        for interval in CandleInterval.allCases { try differences(history, interval) }
    }

    @Test func `what is written after a close is in every candle`() throws {
        let history = try TradeHistory()
        for half: Int64 in 0..<60 { history.add(half * hour / 2, price: 5, amount: 1) }
        try history.save()
        try history.close()
        for half: Int64 in 59..<200 { history.add(half * hour / 2, price: 6, amount: 2) }
        try history.save()
        for interval in CandleInterval.allCases { try differences(history, interval) }
    }
}
