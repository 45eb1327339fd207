import Postgres
import TestSupport
import Testing

@Test func `vwap has twelve right digits after the point, however many ticks a price has`() throws {
    let history = try TradeHistory(tick: "0.01", lot: "1")
    try history.add("2026-01-05 00:00:10", price: 1_000_000_000_000, amount: 2)
    try history.add("2026-01-05 00:00:20", price: 1_000_000_000_001, amount: 1)
    try history.save()
    let reader = try history.database.connection(as: .reader)
    // 10000000000 and a third of a tick.
    let exact = "10000000000.003333333333"
    for query in [
        "SELECT vwap::text FROM pgbook.candles('M', '1m', '2026-01-05', '2026-01-06')",
        "SELECT vwap::text FROM pgbook.candles('M', '1d', '2026-01-05', '2026-01-06', 'previous')",
        "SELECT vwap::text FROM pgbook.candles_1m",
        "SELECT vwap::text FROM pgbook.vwap('M', '2026-01-05', '2026-01-06')",
    ] {
        let vwap: String = try reader.execute(query).one().decode(at: 0)
        #expect(vwap == exact, "\(query)")
    }
}
