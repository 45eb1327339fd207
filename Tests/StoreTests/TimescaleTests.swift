import Foundation
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// What is easily forgotten about a hypertable.
@Suite struct TimescaleTests {
    private let database: TestDatabase
    private let connection: Connection

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M")
        connection = try database.connection()
    }

    /// Trades of n minutes, one each, from 2015 on.
    private func insertTrades(_ count: Int32, every interval: String = "1 minute") throws {
        try connection.execute(
            """
            WITH made AS (
                INSERT INTO pgbook_data.trades (time, trade_id, seq, taker_order, maker_order, price, amount, market,
                                                taker_side, taker_user, maker_user)
                SELECT timestamptz '2015-05-01' + n * $2::text::interval, n, n, gen_random_uuid(), gen_random_uuid(), 200, 1000,
                       m.market, 0, 'a', 'b'
                FROM generate_series(1, $1) n, pgbook_data.markets m
                RETURNING *
            )
            INSERT INTO pgbook_data.candles_1m (time, open, high, low, close, trades, first_trade_id, last_trade_id, market,
                                                volume, notional, taker_buy_volume, taker_buy_notional)
            SELECT date_trunc('minute', time), 200, 200, 200, 200, count(*), min(trade_id), max(trade_id), market, sum(amount),
                   sum(200 * amount), 0, 0
            FROM made GROUP BY market, date_trunc('minute', time)
            """, count, interval)
    }

    @Test func `trades is a hypertable, and each unique index of it holds the partition column`() throws {
        #expect(
            try connection.execute(
                "SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = 'trades'"
            ).count == 1)
        let without = try connection.execute(
            """
            SELECT i.indexrelid::regclass::text FROM pg_index i
            WHERE i.indrelid = 'pgbook_data.trades'::regclass AND i.indisunique
              AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = 'time'
                              AND a.attnum = ANY (i.indkey))
            """)
        #expect(without.isEmpty)
        #expect(throws: PostgresError.self, "an index without it is refused") {
            try connection.executeSimple("CREATE UNIQUE INDEX ON pgbook_data.trades (market, trade_id)")
        }
    }

    @Test func `a trade number stands once`() throws {
        try insertTrades(1)
        let error = #expect(throws: PostgresError.self) { try insertTrades(1) }
        #expect(error?.sqlState == .uniqueViolation)
    }

    @Test func `no foreign key points at the trades`() throws {
        #expect(
            try connection.execute(
                "SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid = 'pgbook_data.trades'::regclass"
            )
            .isEmpty)
    }

    @Test func `there are no default indexes that nobody asked for`() throws {
        let indexes = try connection.execute(
            "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'pgbook_data' AND tablename = 'trades'"
        ).map { try $0.decode(String.self, at: 0) }
        #expect(indexes == ["trades_id"])
    }

    @Test func `COPY of the table gives nothing, COPY of a query gives the trades`() throws {
        try insertTrades(5)
        var bytes = 0
        try connection.copyOut("COPY pgbook_data.trades TO STDOUT") { bytes += $0.count }
        #expect(bytes == 0)
        try connection.copyOut("COPY (SELECT * FROM pgbook_data.trades) TO STDOUT") { bytes += $0.count }
        #expect(bytes > 0)
    }

    @Test func `the latest trades are found without a look at the other chunks`() throws {
        // 400 trades in as many chunks.
        try insertTrades(400, every: "1 day")
        let trades = try connection.latestTrades("M", limit: 3)
        #expect(trades.map(\.id.rawValue) == [400, 399, 398])
        let plan = try connection.execute(
            """
            EXPLAIN SELECT * FROM pgbook.trades WHERE security = 'M'
            AND time >= '2016-06-01' AND time < '2016-06-03' ORDER BY time DESC LIMIT 3
            """
        ).map { try $0.decode(String.self, at: 0) }.joined(separator: "\n")
        #expect(Set(plan.matches(of: /_hyper_\d+_\d+_chunk/).map(\.output)).count <= 2, "\(plan)")
        #expect(try connection.latestTrades("M", limit: 1000).count == 400)
        #expect(try connection.latestTrades("NOPE").isEmpty)
    }

    @Test func `several trades of one minute count as several`() throws {
        try insertTrades(90, every: "1 second")
        #expect(try connection.latestTrades("M", limit: 10).map(\.id.rawValue) == Array((81...90).reversed()))
        #expect(try connection.latestTrades("M", limit: 89).last?.id.rawValue == 2)
    }

    @Test func `the schema uses nothing beyond the Apache edition`() throws {
        let license: String? = try connection.execute("SELECT current_setting('timescaledb.license', true)").one()
            .decode(at: 0)
        guard license == "apache" else {
            print("left out 1 case: this TimescaleDB has the edition \(license ?? "unknown"), not apache")
            return
        }
        let error = #expect(throws: PostgresError.self) {
            try connection.executeSimple("ALTER TABLE pgbook_data.trades SET (timescaledb.compress)")
        }
        #expect(error?.sqlState == .featureNotSupported, "what is missing is known by 0A000")
    }
}
