import OrderBook
import Postgres
import Store

/// A book as a ladder: asks above, bids below, the best of both in the middle, and a bar for each level's amount.
struct Ladder {
    var market: String
    /// Best first on either side.
    var levels: [LevelRecord]

    func lines(on screen: Screen, width: Int) -> [String] {
        let asks = levels.filter { $0.side == .ask }
        let bids = levels.filter { $0.side == .bid }
        guard !levels.isEmpty else { return [screen.styled(market, .bold), "the book is empty"] }
        let ordered = asks.reversed() + bids
        let prices = column("price", ordered.map(\.price))
        let amounts = column("amount", ordered.map(\.amount))
        let orders = column("orders", ordered.map { PostgresNumeric(unscaled: Int128($0.orders), scale: 0) })
        let barWidth = min(40, max(0, width - prices[0].count - amounts[0].count - orders[0].count - 14))
        let bars = screen.isTerminal ? depthBars(ordered.map(\.amount), width: barWidth) : ordered.map { _ in "" }

        var lines = [screen.styled(printable(market), .bold)]
        lines.append(screen.styled("     " + [prices[0], amounts[0], orders[0]].joined(separator: "  "), .dim))
        for (index, level) in ordered.enumerated() {
            if index == asks.count { lines.append(screen.styled(middle(bids.first, asks.first), .dim)) }
            let row = ["  " + level.side.word, prices[index + 1], amounts[index + 1], orders[index + 1], bars[index]]
            lines.append(screen.styled(trimmed(row.joined(separator: "  ")), level.side == .bid ? .bid : .ask))
        }
        if bids.isEmpty { lines.append(screen.styled(middle(nil, asks.first), .dim)) }
        return lines
    }

    private func middle(_ bid: LevelRecord?, _ ask: LevelRecord?) -> String {
        switch (bid, ask) {
        case (let bid?, let ask?): "  --  spread \(difference(ask.price, bid.price))"
        case (nil, _): "  --  no bids"
        case (_, nil): "  --  no asks"
        }
    }
}

/// Title and numbers of one column: the same digits after the point, aligned on the right.
private func column(_ title: String, _ numbers: [PostgresNumeric]) -> [String] {
    let scale = numbers.map(\.scale).max() ?? 0
    let texts = [title] + numbers.map { "\($0.withScale(scale) ?? $0)" }
    let width = texts.map(\.count).max() ?? 0
    return texts.map { $0.paddedLeft(to: width) }
}

/// The share of each amount in the largest, in eighths of a character.
private func depthBars(_ amounts: [PostgresNumeric], width: Int) -> [String] {
    let scale = amounts.map(\.scale).max() ?? 0
    let values = amounts.map { ($0.withScale(scale) ?? $0).unscaled }
    // Only the leading digits can be seen.
    var shift: Int128 = 0
    while let most = values.max(), most >> shift > Int128(Int64.max) { shift += 1 }
    let shown = values.map { $0 >> shift }
    guard let most = shown.max(), most > 0 else { return amounts.map { _ in "" } }
    let tips = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return shown.map { value in
        let eighths = max(1, Int(value * Int128(width * 8) / most))
        return String(repeating: "█", count: eighths / 8) + tips[eighths % 8]
    }
}

private func difference(_ a: PostgresNumeric, _ b: PostgresNumeric) -> String {
    let scale = max(a.scale, b.scale)
    guard let a = a.withScale(scale), let b = b.withScale(scale) else { return "?" }
    return "\(PostgresNumeric(unscaled: a.unscaled - b.unscaled, scale: scale))"
}

private func trimmed(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
}

extension PostgresNumeric {
    /// The same number with more digits after the point; nil where they do not fit.
    func withScale(_ scale: Int) -> PostgresNumeric? {
        var unscaled = self.unscaled
        for _ in self.scale..<max(scale, self.scale) {
            let (product, overflow) = unscaled.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            unscaled = product
        }
        return PostgresNumeric(unscaled: unscaled, scale: max(scale, self.scale))
    }
}
