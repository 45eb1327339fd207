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

@Test(arguments: [
    ("5", "10000000000000", "0.000000000001"), ("-5", "10000000000000", "-0.000000000001"),
    // Just below the middle, by the smallest difference that a price and a volume can make.
    ("4.99999999999999999999999999999999999999", "10000000000000", "0"),
    ("-4.99999999999999999999999999999999999999", "10000000000000", "0"),
    ("2", "3", "0.666666666667"), ("0", "7", "0"), ("7", "0", nil),
    (
        "49999999999999999999999999999999999.99999999999999999999999999999999999999",
        "100000000000000000000000000000000000000000000000", "0"
    ),
])
func `a quotient is rounded once, half away from zero`(_ dividend: String, _ divisor: String, _ expected: String?)
    throws
{
    let connection = try TestDatabase().connection()
    let found = try connection.execute(
        "SELECT pgbook_data.quotient($1::text::numeric, $2::text::numeric, 12)::text", dividend, divisor)
    #expect(try found.one().decode(String?.self, at: 0) == expected)
}
