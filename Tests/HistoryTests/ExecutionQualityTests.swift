import Foundation
import History
import OrderBook
import Postgres
import Store
import TestSupport
import Testing

private let intervals: [String?] = [nil, "5m", "1d", "1M"]

/// The analytics of how orders fared, against the same computed one by one.
@Suite struct ExecutionQualityTests {
    private func mid2(_ trade: RandomTrade) -> Int128? {
        guard let bid = trade.bestBid, let ask = trade.bestAsk else { return nil }
        return Int128(bid) + Int128(ask)
    }

    /// Twice the mid that the first trade in [t + h, t + 2h) knows.
    private func laterMid2(_ trade: RandomTrade, _ trades: [RandomTrade], _ horizon: Int64) -> Int128? {
        let first = trades.first { $0.time >= trade.time + horizon && mid2($0) != nil }
        guard let first, first.time < trade.time + 2 * horizon else { return nil }
        return mid2(first)
    }

    private func groups<T>(
        _ rows: [T], _ range: Range<Int64>, _ interval: String?, time: (T) -> Int64
    ) -> [(start: Int64, rows: [T])] {
        Dictionary(grouping: rows) { bucketStart(time($0), interval, from: range.lowerBound) }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func sum(_ values: [Int128]) -> Int128 { values.reduce(0, +) }

    @Test(arguments: [1, 1_000_000, 60_000_000, 86_400_000_000] as [Int64])
    func `spreads are weighted by amount`(horizon: Int64) throws {
        let desk = try AnalyticsDesk()
        let counted = desk.trades.counted
        for range in desk.ranges() {
            for interval in intervals {
                let rows = desk.counted(range).filter { mid2($0) != nil }
                let expected: [[String?]] = groups(rows, range, interval, time: \.time).map { start, trades in
                    let amount = sum(trades.map { Int128($0.amount) })
                    let mids = sum(trades.map { Int128($0.amount) * mid2($0)! })
                    let quoted = sum(trades.map { Int128($0.amount) * Int128($0.bestAsk! - $0.bestBid!) })
                    let effective = sum(
                        trades.map { Int128($0.amount) * $0.sign * (2 * Int128($0.price) - mid2($0)!) })
                    let later = trades.compactMap { trade in
                        laterMid2(trade, counted, horizon).map { (trade: trade, mid2: $0) }
                    }
                    let realised = sum(
                        later.map { Int128($0.trade.amount) * $0.trade.sign * (2 * Int128($0.trade.price) - $0.mid2) })
                    let laterAmount = sum(later.map { Int128($0.trade.amount) })
                    let laterMids = sum(later.map { Int128($0.trade.amount) * mid2($0.trade)! })
                    return [
                        timeText(start), "\(trades.count)", quotientText(quoted * 5, amount * 10, 12),
                        quotientText(quoted * 20000, mids, 6), quotientText(effective * 5, amount * 10, 12),
                        quotientText(effective * 20000, mids, 6), "\(later.count)",
                        quotientText(realised * 5, laterAmount * 10, 12), quotientText(realised * 20000, laterMids, 6),
                    ]
                }
                #expect(
                    try desk.rows(
                        .spread(horizonMicroseconds: horizon, interval.map { AnalyticsBuckets($0) }), range)
                        == expected, "seed \(desk.seed), \(range), by \(interval ?? "nothing")")
            }
        }
    }

    @Test(arguments: MarkoutReference.allCases)
    func `markouts are what the market was worth later`(reference: MarkoutReference) throws {
        let desk = try AnalyticsDesk()
        let counted = desk.trades.counted
        let horizons: [Int64] = [1_000_000, 5_000_000, 3_600_000_000]
        for range in desk.ranges() {
            for interval in intervals {
                let expected: [[String?]] = horizons.flatMap { horizon in
                    groups(desk.counted(range), range, interval, time: \.time).map { start, trades in
                        let later = trades.compactMap { trade in
                            switch reference {
                            case .mid: laterMid2(trade, counted, horizon).map { (trade: trade, value2: $0) }
                            case .last: (trade: trade, value2: 2 * Int128(lastPrice(trade.time + horizon, counted)))
                            }
                        }
                        let gain = sum(
                            later.map { trade, value2 in
                                Int128(trade.amount) * trade.sign * (value2 - 2 * Int128(trade.price))
                            })
                        let amount = sum(later.map { Int128($0.trade.amount) })
                        let notional = sum(later.map { Int128($0.trade.amount) * Int128($0.trade.price) })
                        return [
                            timeText(start), horizonText(horizon), "\(trades.count)", "\(later.count)",
                            quotientText(gain * 5, 20 * amount, 12), quotientText(gain * 5000, notional, 6),
                        ]
                    }
                }
                let statistic = Statistic.markout(
                    horizonsMicroseconds: horizons, against: reference, interval.map { AnalyticsBuckets($0) })
                #expect(
                    try desk.rows(statistic, range) == expected,
                    "seed \(desk.seed), \(range), by \(interval ?? "nothing")")
            }
        }
    }

    /// The price of the last trade up to a time.
    private func lastPrice(_ time: Int64, _ trades: [RandomTrade]) -> Int64 { trades.last { $0.time <= time }!.price }

    private func horizonText(_ horizon: Int64) -> String {
        let (hours, seconds) = (horizon / 3_600_000_000, horizon / 1_000_000 % 60)
        return "0\(hours):00:" + (seconds < 10 ? "0" : "") + "\(seconds)"
    }

    @Test func `slippage is told per execution of a taker order, against mid and touch`() throws {
        let desk = try AnalyticsDesk()
        for range in desk.ranges() {
            let orders = Dictionary(grouping: desk.counted(range), by: \.seq).values.sorted { $0[0].id < $1[0].id }
            let expected: [[String?]] = orders.map { trades in
                let (first, amount) = (trades[0], sum(trades.map { Int128($0.amount) }))
                let notional = sum(trades.map { Int128($0.amount) * Int128($0.price) })
                let touch = (first.isBuy ? first.bestAsk : first.bestBid).map { Int128($0) }
                let mid2 = mid2(first)
                return [
                    timeText(first.time), first.takerOrder.description, first.taker, first.isBuy ? "bid" : "ask",
                    amountText(amount), "\(trades.count)", quotientText(notional * 5, amount * 10, 12),
                    mid2.map { decimalText($0 * 25, 2) }, touch.map { priceText($0) },
                    mid2.flatMap {
                        quotientText(10000 * first.sign * (2 * notional - $0 * amount), $0 * amount, 6)
                    },
                    touch.flatMap { quotientText(10000 * first.sign * (notional - $0 * amount), $0 * amount, 6) },
                ]
            }
            #expect(try desk.rows(.slippage, range) == expected, "seed \(desk.seed), \(range)")
        }
    }

    @Test(arguments: ["1m", "1h", "1d"])
    func `volatility is that of the candles, quiet ones included`(interval: String) throws {
        let desk = try AnalyticsDesk()
        let length = CandleInterval(rawValue: interval)!.seconds! * 1_000_000
        for range in desk.ranges() {
            for by in intervals {
                for isAnnualised in [false, true] {
                    let candles = groups(desk.counted(range), range, interval, time: \.time)
                    let expected = groups(candles, range, by, time: \.start).map { start, candles in
                        let end = min(range.upperBound, by.map { nextStart(start, $0) } ?? .max)
                        let count = Double((end - candles[0].start + length - 1) / length)
                        let closes = candles.map { Double($0.rows[$0.rows.count - 1].price) }
                        let steps = zip(closes, closes.dropFirst()).map { log($1 / $0) }
                        let spans = candles.map { candle in
                            let prices = candle.rows.map { Double($0.price) }
                            return log(prices.max()! / prices.min()!)
                        }
                        let mean = steps.reduce(0, +) / (count - 1)
                        let quiet = (count - 1 - Double(steps.count)) * mean * mean
                        let variance = (steps.reduce(quiet) { $0 + ($1 - mean) * ($1 - mean) }) / (count - 2)
                        let parkinson = spans.reduce(0) { $0 + $1 * $1 } / (4 * log(2) * count)
                        let year = isAnnualised ? 365 * 86_400_000_000 / Double(length) : 1
                        return (
                            start: start, count: Int(count), closes: count > 2 ? (variance * year).squareRoot() : nil,
                            parkinson: (parkinson * year).squareRoot()
                        )
                    }
                    let statistic = Statistic.volatility(
                        interval: interval, by.map { AnalyticsBuckets($0) }, isAnnualised: isAnnualised)
                    let rows = try desk.rows(statistic, range)
                    let comment: Comment = "seed \(desk.seed), \(range), by \(by ?? "nothing")"
                    try #require(rows.count == expected.count, comment)
                    for (row, expected) in zip(rows, expected) {
                        #expect(row[0] == timeText(expected.start), comment)
                        #expect(row[1] == "\(expected.count)", comment)
                        #expect(isNear(row[2], expected.closes), "\(comment): \(row), \(expected)")
                        #expect(isNear(row[3], expected.parkinson), "\(comment): \(row), \(expected)")
                    }
                }
            }
        }
    }

    /// Equal but for the rounding of floating point.
    private func isNear(_ text: String?, _ expected: Double?) -> Bool {
        guard let text, let expected else { return text == nil && expected == nil }
        return abs(Double(text)! - expected) <= 1e-9 * max(expected, 0.01)
    }

    private func nextStart(_ start: Int64, _ interval: String) -> Int64 {
        guard let seconds = CandleInterval(rawValue: interval)?.seconds else {
            return bucketStart(start + 32 * 86_400_000_000, interval, from: 0)
        }
        return start + seconds * 1_000_000
    }

    @Test(arguments: [
        (Statistic.spread(horizonMicroseconds: 0, nil), "horizon 00:00:00 is outside"),
        (.spread(horizonMicroseconds: 86_400_000_001, nil), "is outside 1 microsecond to 1 day"),
        (.markout(horizonsMicroseconds: [], against: .mid, nil), "0 horizons are outside 1 to 16"),
        (.markout(horizonsMicroseconds: [-5], against: .last, nil), "is outside 1 microsecond to 1 day"),
        (.volatility(interval: "7m", nil, isAnnualised: false), "interval '7m' is unknown"),
        (.fills(AnalyticsBuckets("8m")), "interval '8m' is unknown"),
        (.latency(AnalyticsBuckets("1h", timeZone: "Europe/Berlin")), "time zone"),
    ])
    func `what makes no sense is refused on one line`(statistic: Statistic, message: String) throws {
        let desk = try AnalyticsDesk(count: 10)
        let rejection = #expect(throws: Rejection.self) { try desk.rows(statistic, 0..<1) }
        #expect(rejection?.code == .badValue)
        #expect(rejection?.message.contains(message) == true, "\(rejection?.message ?? "")")
    }
}
