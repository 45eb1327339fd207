import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// What `pgbook.candles` makes of buckets without a trade, in decimals.
@Suite struct FillTests {
    private let history: TradeHistory

    /// Trades at 00:00:10 (100), 00:00:50 (101), 00:03:30 (99) and 02:00:00 (105) of 2026-01-05.
    init() throws {
        history = try TradeHistory(tick: "0.5", lot: "0.001")
        try history.add("2026-01-05 00:00:10", price: 200, amount: 1000)
        try history.add("2026-01-05 00:00:50", price: 202, amount: 500, .ask)
        try history.add("2026-01-05 00:03:30", price: 198, amount: 2000)
        try history.add("2026-01-05 02:00:00", price: 210, amount: 1)
        try history.save()
    }

    /// `time open high low close volume trades vwap` per row, `-` for null.
    private func rows(
        _ interval: String, _ from: String, _ to: String, fill: String = "none", as login: TestServer.Login = .reader
    ) throws -> [String] {
        try history.database.connection(as: login).execute(
            """
            SELECT concat_ws(' ', to_char(time at time zone 'UTC', 'MM-DD HH24:MI:SS'), coalesce(open::text, '-'),
                             coalesce(high::text, '-'), coalesce(low::text, '-'), coalesce(close::text, '-'), volume,
                             trades, coalesce(vwap::text, '-'))
            FROM pgbook.candles('M', $1, $2::text::timestamptz, $3::text::timestamptz, $4)
            """, interval, from, to, fill
        ).map { try $0.decode(at: 0) }
    }

    @Test func `none leaves empty buckets out`() throws {
        #expect(
            try rows("1m", "2026-01-05 00:00Z", "2026-01-05 00:05Z") == [
                "01-05 00:00:00 100 101 100 101 1.5 2 100.333333333333", "01-05 00:03:00 99 99 99 99 2 1 99",
            ])
    }

    @Test func `previous carries the last close, zero gives no price`() throws {
        #expect(
            try rows("1m", "2026-01-05 00:00Z", "2026-01-05 00:05Z", fill: "previous") == [
                "01-05 00:00:00 100 101 100 101 1.5 2 100.333333333333", "01-05 00:01:00 101 101 101 101 0 0 -",
                "01-05 00:02:00 101 101 101 101 0 0 -", "01-05 00:03:00 99 99 99 99 2 1 99",
                "01-05 00:04:00 99 99 99 99 0 0 -",
            ])
        #expect(
            try rows("1m", "2026-01-05 00:02Z", "2026-01-05 00:04Z", fill: "zero") == [
                "01-05 00:02:00 - - - - 0 0 -", "01-05 00:03:00 99 99 99 99 2 1 99",
            ])
    }

    @Test func `previous looks back before the range`() throws {
        #expect(
            try rows("1m", "2026-01-05 00:02Z", "2026-01-05 00:03Z", fill: "previous") == [
                "01-05 00:02:00 101 101 101 101 0 0 -"
            ])
        #expect(
            try rows("1s", "2026-01-05 00:00:12Z", "2026-01-05 00:00:13Z", fill: "previous") == [
                "01-05 00:00:12 100 100 100 100 0 0 -"
            ], "the last trade of the same minute")
        #expect(
            try rows("1h", "2026-01-05 01:00Z", "2026-01-05 03:00Z", fill: "previous") == [
                "01-05 01:00:00 99 99 99 99 0 0 -", "01-05 02:00:00 105 105 105 105 0.001 1 105",
            ])
        try history.close()
        #expect(
            try rows("1d", "2026-01-06", "2026-01-07", fill: "previous") == ["01-06 00:00:00 105 105 105 105 0 0 -"])
    }

    @Test func `nothing is filled before the first trade or after now`() throws {
        for fill in ["zero", "previous"] {
            #expect(
                try rows("1h", "-infinity", "2026-01-05 01:00Z", fill: fill) == [
                    "01-05 00:00:00 100 101 99 99 3.5 3 99.571428571429"
                ])
            let isWhole = try history.connection.execute(
                """
                SELECT count(*) = ((now() at time zone 'UTC')::date - '2026-01-05'::date) + 1
                FROM pgbook.candles('M', '1d', 'epoch', 'infinity', $1)
                """, fill
            ).one().decode(Bool.self, at: 0)
            #expect(isWhole, "from the first trade's day to today's")
        }
        #expect(try rows("1d", "2999-01-01", "2999-02-01", fill: "previous").isEmpty)
    }

    @Test func `a market without trades has no candles, an unknown one is refused`() throws {
        try history.database.addMarket("E")
        let connection = try history.database.connection(as: .reader)
        for fill in ["none", "zero", "previous"] {
            #expect(
                try connection.execute("SELECT FROM pgbook.candles('E', '1m', '-infinity', 'infinity', $1)", fill)
                    .isEmpty)
        }
        for (call, code) in [
            ("'X', '1m', '2026-01-01', '2026-01-02'", "PB101"), ("'M', '7m', '2026-01-01', '2026-01-02'", "PB117"),
            ("'M', '1m', '2026-01-01', '2026-01-02', 'last'", "PB117"), ("'M', '1m', null, '2026-01-02'", "PB117"),
            ("'M', '1m', '2026-01-01', '2026-01-02', 'none', 'Europe/Berlin'", "PB117"),
        ] {
            let error = #expect(throws: PostgresError.self) {
                try connection.execute("SELECT FROM pgbook.candles(\(call))")
            }
            #expect(error?.sqlState?.code == code, "\(call)")
        }
    }
}
