import Exchange
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

@Suite struct VerificationTests {
    /// A market with trades and resting orders on both sides.
    private func tradedDesk() throws -> Desk {
        let desk = try Desk()
        for price: Int128 in 101...105 { try desk.place(.ask, 4, at: price, user: "bob") }
        for price: Int128 in 95...99 { try desk.place(.bid, 4, at: price, user: "eve") }
        try desk.place(.bid, 6, at: 102)
        try desk.place(.ask, 6, at: 98)
        try desk.match()
        return desk
    }

    /// What `verify` says after somebody changed the tables by hand.
    private func differences(after sql: String) throws -> [String] {
        let desk = try tradedDesk()
        #expect(try desk.verify().differences == [])
        try desk.database.connection().executeSimple(sql)
        return try desk.verify().differences.map { "\($0.rule): \($0.description)" }
    }

    private func finds(_ sql: String, _ words: String...) throws {
        let found = try differences(after: sql)
        #expect(
            found.contains { line in words.allSatisfy { line.contains($0) } }, "\(sql): \(found)")
    }

    @Test func `a trade's amount changed by hand is named`() throws {
        try finds(
            "UPDATE pgbook_data.trades SET amount = amount + 1 WHERE trade_id = 2", "trade 2", "amount 3", "amount 2")
    }

    @Test func `a trade deleted by hand is named`() throws {
        try finds("DELETE FROM pgbook_data.trades WHERE trade_id = 2", "M4", "trade 2", "missing")
    }

    @Test func `a resting order deleted by hand is named`() throws {
        let desk = try tradedDesk()
        let admin = try desk.database.connection()
        let id = try admin.execute("DELETE FROM pgbook_data.book WHERE price = 104 RETURNING id::text").one()
            .decode(String.self, at: 0)
        let found = try desk.verify().differences
        #expect(found.contains { $0.rule == "book" && $0.description.contains(id) }, "\(found)")
    }

    @Test func `two seqs swapped by hand are named`() throws {
        try finds(
            """
            UPDATE pgbook_data.outcomes SET seq = 1000 WHERE seq = 3;
            UPDATE pgbook_data.outcomes SET seq = 3 WHERE seq = 4;
            UPDATE pgbook_data.outcomes SET seq = 4 WHERE seq = 1000
            """, "M5", "seq 3")
    }

    @Test func `a missing outcome, a changed candle, state and command are named`() throws {
        try finds("DELETE FROM pgbook_data.outcomes WHERE seq = 5", "M4", "seq 5")
        try finds("UPDATE pgbook_data.candles_1m SET high = high + 1", "candles")
        try finds("UPDATE pgbook_data.market_state SET last_price = 7", "state", "last_price")
        try finds("UPDATE pgbook_data.commands SET price = price + 1 WHERE price = 103", "M5", "seq 3")
        try finds("UPDATE pgbook_data.outcomes SET filled = 5, dropped = 1 WHERE seq = 11", "M3")
        try finds("DELETE FROM pgbook_data.closed", "closed")
        try finds(
            "INSERT INTO pgbook_data.inbox (time, id, market) SELECT time, id, market FROM pgbook_data.commands LIMIT 1",
            "M1")
    }

    @Test func `busts of any trade leave everything proved`() throws {
        let desk = try tradedDesk()
        for id: Int64 in [1, 3, 2] {
            _ = try desk.connection.bust(TradeID(id), of: "TEST", reason: "a test")
            #expect(try desk.verify().differences == [], "after trade \(id)")
        }
        // Trading goes on in the same minute or another.
        try desk.place(.bid, 2, at: 105)
        try desk.match()
        #expect(try desk.verify().differences == [])
        // A mark that nobody recorded is found: the candle leaves the trade out, or not.
        try desk.database.connection().executeSimple("DELETE FROM pgbook_data.busts WHERE trade_id = 2")
        #expect(try desk.verify().differences.map(\.rule) == ["candles"])
    }

    @Test func `dropped trades are counted as not checked, and are no difference`() throws {
        let desk = try tradedDesk()
        let before = try desk.verify()
        _ = try desk.connection.bust(TradeID(1), of: "TEST", reason: "a test")
        #expect(try desk.connection.dropTrades(before: Timestamp(Int64.max)).count == 1)
        let report = try desk.verify()
        #expect(report.differences == [])
        #expect(report.trades == before.trades && report.uncheckedTrades == before.trades)
    }
}
