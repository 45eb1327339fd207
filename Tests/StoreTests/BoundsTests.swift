import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// The bounds that the database holds, which are those of `Bounds`.
@Suite struct BoundsTests {
    private let database: TestDatabase
    private let connection: Connection

    init() throws {
        database = try TestDatabase()
        connection = try database.connection()
        try connection.executeSimple("SET timezone = 'UTC'")
        try database.addMarket("M", tick: "1", lot: "1")
    }

    @Test func `the table in SQL is the table in Swift`() throws {
        let row = try connection.execute(
            """
            SELECT pgbook_data.time_first(), pgbook_data.time_last(), pgbook_data.amount_max(), pgbook_data.price_max(),
                   pgbook_data.value_max(), pgbook_data.unit_digits_max()::bigint, pgbook_data.name_bytes_max()::bigint
            """
        ).one()
        #expect(
            try row.decode(PostgresTimestamp.self, at: 0).microsecondsSinceUnixEpoch == Bounds.times.lowerBound.rawValue
        )
        #expect(
            try row.decode(PostgresTimestamp.self, at: 1).microsecondsSinceUnixEpoch == Bounds.times.upperBound.rawValue
        )
        #expect(try row.decode(Int64.self, at: 2) == Bounds.amountMax)
        #expect(try row.decode(Int64.self, at: 3) == Bounds.priceMax)
        #expect(try row.decode(PostgresNumeric.self, at: 4).unscaled == Bounds.valueMax)
        #expect(try row.decode(Int64.self, at: 5) == Int64(Bounds.unitDigitsMax))
        #expect(try row.decode(Int64.self, at: 6) == Int64(Bounds.nameBytesMax))
        let stamps = try connection.execute(
            "SELECT seqmax FROM pg_sequence WHERE seqrelid = 'pgbook_data.stamps'::regclass")
        #expect(try stamps.one().decode(Int64.self, at: 0) == Bounds.times.upperBound.rawValue)
    }

    @Test func `both find the same fault in every user id`() throws {
        var texts = ["", String(repeating: "é", count: 33), String(repeating: "x", count: 64), " ", "Zoë", "😀", "é"]
        // Every character at an end of a hidden range, and its neighbours.
        for range in Bounds.invisible {
            for value in [range.lowerBound, range.upperBound] {
                for near in [value > 0 ? value - 1 : 0, value, value + 1] where near > 0 {
                    if let scalar = Unicode.Scalar(near) { texts.append("a\(Character(scalar))") }
                }
            }
        }
        let faults = try connection.execute(
            "SELECT pgbook_data.user_fault(t) FROM unnest($1::text[]) WITH ORDINALITY u(t, n) ORDER BY n", texts
        ).map { try $0.decode(String?.self, at: 0) }
        for (text, fault) in zip(texts, faults) {
            let codes = text.unicodeScalars.map { String($0.value, radix: 16) }
            if text.isEmpty {
                #expect(fault != nil && Bounds.fault(ofUser: text) != nil)
            } else {
                #expect(fault == Bounds.fault(ofUser: text), "\(codes)")
            }
        }
    }

    /// A row of each table that is in order.
    private static let rows: [String: [String: String]] = [
        "displaced": [
            "id": "gen_random_uuid()", "time": "now()", "market": "1", "kind": "1", "user_id": "'u'", "origin": "'o'",
        ],
        "proposals": [
            "id": "gen_random_uuid()", "member": "0", "market": "1", "kind": "1", "user_id": "'u'",
        ],
        "busts": ["market": "1", "trade_id": "1", "time": "now()", "reason": "'r'"],
        "candles_1h": candle, "candles_1d": candle,
        "candle_levels": ["market": "1"],
        "markets": [
            "symbol": "'X'", "tick_size": "1", "lot_size": "1", "max_amount": "1", "max_price": "1",
        ],
        "members": ["member": "1", "name": "'b'"],
        "cluster": ["cluster_id": "'c'", "\"window\"": "1"],
    ]
    private static let candle = [
        "time": "now()", "open": "1", "high": "1", "low": "1", "close": "1", "trades": "1", "first_trade_id": "1",
        "last_trade_id": "1", "market": "1", "volume": "1", "notional": "1", "taker_buy_volume": "0",
        "taker_buy_notional": "0",
    ]

    private static let firstTime = "'0001-01-01 00:00:00+00'"
    private static let lastTime = "'9999-12-31 23:59:59.999999+00'"
    private static let wrongTimes = [
        "'0001-12-31 23:59:59.999999+00 BC'", "'10000-01-01 00:00:00+00'", "'294247-01-10 04:00:54.775806+00'",
        "'4713-01-01 00:00:00+00 BC'", "'infinity'",
    ]
    private static let wrongNames = ["''", "repeat('x', 65)", "repeat('é', 33)"]
    private static let names = ["'x'", "repeat('x', 64)", "repeat('é', 32)"]
    private static let amounts = ["1", "1000000000000000000"]
    private static let wrongAmounts = ["0", "-1", "1000000000000000001", "9223372036854775807", "-9223372036854775808"]
    private static let numbers = ["1", "9000000000000000000"]
    private static let wrongNumbers = ["0", "-1", "9000000000000000001", "9223372036854775807"]
    private static let sums = ["0", "99999999999999999999999999999999999999"]
    private static let wrongSums = ["1e38", "'NaN'", "'infinity'"]

    private static let justWrongTimes: [String] = wrongTimes + ["'-infinity'"]
    private static let maybeTimes: [String] = ["null", firstTime, lastTime]
    private static let bothTimes: [String] = [firstTime, lastTime]
    private static let sinceEver: [String] = ["'-infinity'", lastTime]
    private static let maybeAmounts: [String] = ["null"] + amounts
    private static let wrongTotals: [String] = ["-1"] + wrongSums

    /// What a column takes, and what it does not; columns that go with a value stand behind it, as `;column=value`.
    private struct Rule {
        var table: String
        var column: String
        var taken: [String]
        var refused: [String]

        init(_ table: String, _ column: String, _ taken: [String], not refused: [String]) {
            (self.table, self.column, self.taken, self.refused) = (table, column, taken, refused)
        }
    }

    private static let logRules: [Rule] = [
        Rule("displaced", "time", bothTimes, not: wrongTimes), Rule("displaced", "amount", amounts, not: wrongAmounts),
        Rule("displaced", "expires", ["null"], not: wrongTimes), Rule("displaced", "user_id", names, not: wrongNames),
        Rule("displaced", "kind", ["1"], not: ["0", "8"]),
        Rule("proposals", "expires", maybeTimes, not: wrongTimes),
        Rule("proposals", "amount", maybeAmounts, not: wrongAmounts),
        Rule("proposals", "price", maybeAmounts, not: wrongAmounts),
        Rule("proposals", "user_id", names, not: wrongNames),
        Rule("proposals", "side", ["null", "1"], not: ["2"]),
    ]

    private static let outcomeRules: [Rule] = [
        Rule("busts", "time", bothTimes, not: wrongTimes),
        Rule("busts", "trade_id", numbers, not: wrongNumbers),
        Rule("candle_levels", "closed_1h", sinceEver, not: wrongTimes),
        Rule("candle_levels", "closed_1d", sinceEver, not: wrongTimes),
    ]

    private static let marketRules: [Rule] = [
        Rule("markets", "symbol", ["'A.b/c:d_e-f'"], not: ["''", "'ü'", "'a b'", "repeat('x', 33)"]),
        Rule(
            "markets", "tick_size", ["0.000000000000000001", "999999999999999999", "0.123456789012345678"],
            not: [
                "0", "-1", "1e18", "1e40", "0.0000000000000000001", "0.1234567890123456789", "'NaN'", "'infinity'",
                "1.000000000000000000",
            ]),
        Rule(
            "markets", "lot_size", ["0.000000000000000001", "999999999999999999"],
            not: ["0", "-1", "1e18", "1e40", "'NaN'", "'infinity'", "0.1234567890123456789"]),
        Rule(
            "markets", "max_amount", ["1", "1000000000000000000", "1000000000000;max_price=1000000000000000000"],
            not: [
                "0", "-1", "1000000000000000001", "1000000000001;max_price=1000000000000000000",
                "1000000000000000000;max_price=1000000000000;tick_size=2",
            ]),
        Rule("markets", "max_price", amounts, not: ["0", "1000000000000000001"]),
        Rule(
            "markets", "max_notional", ["null", "0.5", "9999999999999999999999999999999999999"],
            not: ["0", "-1", "1e37", "'NaN'", "'infinity'"]),
        Rule("members", "stored_through", ["0", "281474976710655"], not: ["-1", "281474976710656"]),
        Rule("cluster", "\"window\"", ["1", "3600000000"], not: ["0", "3600000001"]),
        Rule("cluster", "closed_through", sinceEver, not: wrongTimes),
        Rule("cluster", "bound", sinceEver, not: wrongTimes),
        Rule("cluster", "agreed", sinceEver, not: wrongTimes),
    ]

    private static func candleRules(_ table: String) -> [Rule] {
        let prices = ["open", "high", "low", "close"].map { Rule(table, $0, amounts, not: wrongAmounts) }
        let counts = ["trades", "first_trade_id", "last_trade_id"].map { Rule(table, $0, numbers, not: wrongNumbers) }
        let totals = ["volume", "notional", "taker_buy_volume", "taker_buy_notional"].map {
            Rule(table, $0, sums, not: wrongTotals)
        }
        return [Rule(table, "time", bothTimes, not: justWrongTimes)] + prices + counts + totals
    }

    private static var rules: [Rule] {
        let candles: [Rule] = ["candles_1h", "candles_1d"].flatMap { candleRules($0) }
        return [logRules, outcomeRules, marketRules, candles].flatMap { $0 }
    }

    private func insert(_ table: String, _ column: String, _ value: String) throws -> String? {
        var row = try #require(Self.rows[table])
        let parts = value.split(separator: ";")
        row[column] = parts.first.map { String($0) } ?? value
        for part in parts.dropFirst() {
            let words = part.split(separator: "=")
            row[String(words[0])] = String(words[1])
        }
        let names = row.keys.sorted()
        let values = names.map { row[$0] ?? "" }.joined(separator: ", ")
        try connection.executeSimple("BEGIN")
        defer { connection.rollback() }
        if table == "proposals" {
            try connection.executeSimple("INSERT INTO pgbook_data.members (member, name) VALUES (0, 'a')")
        }
        do {
            try connection.executeSimple(
                "INSERT INTO pgbook_data.\(table) (\(names.joined(separator: ", "))) VALUES (\(values))")
            return nil
        } catch {
            return error.sqlState?.code
        }
    }

    @Test func `each column takes what lies at its bounds, and the owner's own insert nothing beyond`() throws {
        for rule in Self.rules {
            for value in rule.taken {
                let code = try insert(rule.table, rule.column, value)
                #expect(code == nil, "\(rule.table).\(rule.column) = \(value): \(code ?? "")")
            }
            for value in rule.refused {
                let code = try insert(rule.table, rule.column, value)
                // TimescaleDB has bounds of its own, where no chunk can begin.
                let isRefused = code == "23514" || code == "23502" || code == "22008"
                #expect(isRefused, "\(rule.table).\(rule.column) = \(value): \(code ?? "was stored")")
            }
        }
    }

    private static let unreadable: [(String, String)] = [
        (
            "'M', 'bid', 1, 10, time_in_force => 'gtd', expires => '294247-01-10 04:00:54.775806+00'",
            "outside the years 1 to 9999"
        ),
        (
            "'M', 'bid', 1, 10, time_in_force => 'gtd', expires => '10000-01-01 00:00:00+00'",
            "outside the years 1 to 9999"
        ),
        ("'M', 'bid', 1, 10, time_in_force => 'gtd', expires => 'infinity'", "outside the years 1 to 9999"),
        ("'M', 'bid', 1, 10, time_in_force => 'gtd', expires => '-infinity'", "outside the years 1 to 9999"),
        (
            "'M', 'bid', 1, 10, time_in_force => 'gtd', expires => '0001-01-01 00:00:00+00 BC'",
            "outside the years 1 to 9999"
        ),
        ("'M', 'bid', 1, 10, client_order_id => repeat('é', 33)", "1 to 64 bytes of UTF-8, not 66"),
        ("'M', 'bid', 1, 10, client_order_id => ''", "1 to 64 bytes of UTF-8, not 0"),
        ("'M', 'bid', 1, 10, user_id => repeat('é', 33)", "1 to 64 bytes of UTF-8, not 66"),
        ("'M', 'bid', 1, 10, user_id => U&'ann\\200B'", "U+200B"),
        ("'M', 'bid', 1, 10, user_id => U&'\\202Enna'", "U+202E"),
        ("'M', 'bid', 1, 10, user_id => E'a\\nb'", "U+000A"),
        ("'M', 'bid', 1e131071, 10", "is too large"), ("'M', 'bid', 1e-16383, 10", "is not a multiple"),
        ("'M', 'bid', 1, 1e131071", "is too large"), ("'M', 'bid', 'NaN', 10", "is not positive"),
        ("'M', 'bid', 'infinity', 10", "is too large"), ("'M', 'bid', 1, '-infinity'", "is not positive"),
        ("repeat('x', 1000000), 'bid', 1, 10", "there is no market"),
    ]

    @Test func `what no matcher could read is refused at the door`() throws {
        let node = try database.connection(as: .node)
        for (arguments, words) in Self.unreadable {
            let error = #expect(throws: PostgresError.self) {
                try node.execute("SELECT pgbook.place_order(\(arguments))")
            }
            #expect(error?.sqlState?.code.hasPrefix("PB1") == true, "\(error?.description ?? "")")
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect((error?.message.count ?? 0) < 300)
        }
        #expect(
            try connection.execute("SELECT count(*) FROM pgbook_data.commands").one().decode(Int64.self, at: 0) == 0)
    }

    private static let impossible: [(String, String, String)] = [
        ("'T2', 0.01, 1e40", "lot_size", "has more than 18 digits"),
        ("'T', 1e-19, 1", "tick_size", "0.0000000000000000001"),
        ("'T', 0.1234567890123456789, 1", "tick_size", "more than 18 digits"),
        ("'T', 'NaN', 1", "tick_size", "NaN is not above zero"),
        ("'T', 1, 'infinity'", "lot_size", "Infinity"), ("'T', 1, 0", "lot_size", "0 is not above zero"),
        (
            "'T', 1, 1, max_amount => 9223372036854775807", "max_amount",
            "between the lot size 1 and 1000000000000000000"
        ),
        ("'T', 1, 1, max_amount => 'NaN'", "max_amount", "NaN"), ("'T', 1, 1, max_amount => 0.5", "max_amount", "0.5"),
        ("'T', 1, 1, max_price => 1e40", "max_price", "and 1000000000000000000"),
        ("'T', 1, 1, max_price => 'NaN'", "max_price", "NaN"),
        ("'T', 1, 1, max_price => 0.5", "max_price", "0.5"), ("'T', 1, 1, min_price => 'NaN'", "min_price", "NaN"),
        ("'T', 1, 1, min_price => -1", "min_price", "-1"),
        ("'T', 1, 1, min_price => 10, max_price => 5", "max_price", "is below"),
        ("'T', 1, 1, max_notional => 'NaN'", "max_notional", "NaN"),
        ("'T', 1, 1, max_notional => 'infinity'", "max_notional", "Infinity"),
        ("'T', 1, 1, max_notional => 0", "max_notional", "0 is not above zero"),
        (
            "'T', 1, 1, max_amount => 1e18, max_price => 1e18", "max_amount",
            "would be worth more than 1000000000000000000000000000000"
        ),
        ("'T', 999999999999999999, 999999999999999999", "max_price", "would be worth more than"),
        ("repeat('x', 33), 1, 1", "security", "1 to 32"), ("null, 1, 1", "security", "null"),
    ]

    @Test func `a market beyond the bounds is refused with the value and the bound`() throws {
        let node = try database.connection(as: .node)
        for (arguments, field, words) in Self.impossible {
            let error = #expect(throws: PostgresError.self) {
                try node.execute("SELECT pgbook.add_market(\(arguments))")
            }
            #expect(error?.sqlState?.code == "PB117", "\(error?.description ?? "")")
            #expect(error?.column == field)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        #expect(try node.markets().map(\.symbol) == ["M"])
    }

    private static let extreme: [String] = [
        "'T', 0.0100000000000000000000000000, 1", "'T', 0.000000000000000001, 0.000000000000000001",
        "'T', 999999999999999999, 0.001", "'T', 0.25, 12345.678", "'T', 0.333333333333333333, 0.00000001",
        "'T', 1, 1, max_amount => 1e18", "'T', 1, 1, max_price => 1e18",
        "'T', 1, 1, max_amount => 1e15, max_price => 1e15",
        "'T', 1, 1, min_price => 0", "'T', 999999.5, 1234567.00001", "'T', 1, 1, min_price => 1e15",
    ]

    @Test func `a market within the bounds is known to Swift, with its largest order`() throws {
        let node = try database.connection(as: .node)
        for (index, arguments) in Self.extreme.enumerated() {
            try node.execute("SELECT pgbook.add_market(\(arguments.replacing("'T'", with: "'T\(index)'")))")
        }
        let markets = try node.markets()
        #expect(markets.count == Self.extreme.count + 1)
        #expect(try node.versionedMarkets().count == markets.count)
        for market in markets {
            #expect(market.excess(ofTrade: market.amountMax, at: market.priceMax) == nil)
            #expect(market.decimal(market.amountMax).unscaled > 0 && market.decimal(market.priceMax).unscaled > 0)
        }
    }

    @Test func `a database of another encoding is refused, whoever connects`() throws {
        let server = try TestServer.connection()
        let name = "pgbook_ascii_\(UInt32.random(in: 0 ... .max))"
        for encoding in ["SQL_ASCII", "LATIN1"] {
            try server.executeSimple(
                """
                CREATE DATABASE \(name) TEMPLATE template0 ENCODING '\(encoding)' LOCALE_PROVIDER libc LC_COLLATE 'C'
                LC_CTYPE 'C'
                """)
            defer { _ = try? server.executeSimple("DROP DATABASE \(name) WITH (FORCE)") }
            let url = try TestServer.url(database: name)
            let error = #expect(throws: PostgresError.self) { try Connection(ConnectionConfiguration(url)) }
            #expect(error?.kind == .connectFailed)
            #expect(error?.message.contains("has the encoding \(encoding), and text must be UTF-8") == true)
            #expect(error?.message.contains("createdb --encoding UTF8") == true)
        }
    }
}
