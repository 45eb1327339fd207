import OrderBook
import Postgres
import Store

/// Candles drawn in a terminal: wicks and bodies at half a line's precision, a price axis, volumes below.
struct CandleChart {
    var market: String
    var interval: String
    var candles: [CandleRecord]
    var screen: Screen
    var columns: Int
    var rows: Int

    /// Lines of the volume's bars.
    private static let volumeRows = 3
    /// Between two prices of the axis.
    private static let rowsPerLabel = 4

    /// How many candles fit beside an axis of usual width.
    static func candlesMax(columns: Int) -> Int { max(10, columns - 14) }

    func lines() -> [String] {
        let traded = candles.filter { $0.open != nil }
        guard let scale = traded.map(\.scaleMax).max(), let low = traded.compactMap({ $0.low?.units(at: scale) }).min(),
            let high = traded.compactMap({ $0.high?.units(at: scale) }).max()
        else { return ["no candles to draw"] }
        let priceRows = max(6, rows - Self.volumeRows - 4)
        let axis = PriceAxis(low: low, high: high, rows: priceRows, scale: scale)
        let labels = (0..<priceRows).map { $0 % Self.rowsPerLabel == 0 ? axis.label(row: $0) : "" }
        let margin = max(labels.map(\.count).max() ?? 0, volumeLabel.count)
        // Air between candles where there is room for it.
        let isWide = candles.count * 2 <= columns - margin - 4
        let shown = Array(candles.suffix(isWide ? candles.count : max(1, columns - margin - 4)))
        let cells = shown.map { axis.cells(of: $0, scale: scale, isPlain: !screen.hasColour) }
        func row(_ label: String, _ tick: String, _ cell: (Int) -> String) -> String {
            var line = screen.styled(label.paddedLeft(to: margin) + " " + tick, .dim) + " "
            for index in shown.indices { line += styled(cell(index), shown[index]) + (isWide ? " " : "") }
            return line
        }
        let bars = volumeBars(shown)
        return [screen.styled(title(shown), .bold)]
            + (0..<priceRows).map { line in
                row(labels[line], labels[line].isEmpty ? "│" : "┤") { cells[$0][line] }
            }
            + (0..<Self.volumeRows).map { line in
                row(line == 0 ? volumeLabel : "", line == 0 ? "┤" : "│") { bars[$0][line] }
            }
            + timeAxis(shown, margin: margin, step: isWide ? 2 : 1).map { screen.styled($0, .dim) }
    }

    private func styled(_ cell: String, _ candle: CandleRecord) -> String {
        cell == " " ? cell : screen.styled(cell, candle.isFalling ? .ask : .bid)
    }

    private func title(_ shown: [CandleRecord]) -> String {
        guard let first = shown.first, let last = shown.last else { return "" }
        let close = last.close.map { "  close \($0)" } ?? ""
        return
            "\(printable(market)) \(interval)  \(first.time.short.dropLast(4)) – \(last.time.short.dropLast(4)) UTC\(close)"
    }

    private var volumeMax: PostgresNumeric? {
        let scale = candles.map(\.volume.scale).max() ?? 0
        return candles.map(\.volume).max { $0.units(at: scale) < $1.units(at: scale) }
    }

    private var volumeLabel: String { volumeMax.map { "\($0)" } ?? "0" }

    /// Bars of eighths of a line.
    private func volumeBars(_ shown: [CandleRecord]) -> [[String]] {
        let blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        let scale = shown.map(\.volume.scale).max() ?? 0
        let most = max(1, volumeMax?.units(at: scale) ?? 1)
        return shown.map { candle in
            let volume = candle.volume.units(at: scale)
            // Whatever was traded shows.
            let eighths = volume > 0 ? max(1, Int(share(volume, of: most, steps: Self.volumeRows * 8))) : 0
            return (0..<Self.volumeRows).map { row in
                blocks[min(8, max(0, eighths - (Self.volumeRows - 1 - row) * 8))]
            }
        }
    }

    /// The line that closes the chart, and times below it.
    private func timeAxis(_ shown: [CandleRecord], margin: Int, step: Int) -> [String] {
        let length = shown.last.map { $0.time.rawValue - shown[0].time.rawValue } ?? 0
        var (line, labels) = (String(repeating: " ", count: margin + 1) + "└─", "")
        labels = String(repeating: " ", count: margin + 3)
        for index in shown.indices {
            let text = shown[index].time.short
            // A day and more: dates; less: the time of day.
            let label = length > 3 * 86_400_000_000 ? text.dropFirst(5).prefix(5) : text.dropFirst(11).prefix(5)
            let column = margin + 3 + index * step
            let isTick = index % (12 / step) == 0 && column + label.count <= columns
            if isTick { labels += String(repeating: " ", count: max(0, column - labels.count)) + label }
            line += (isTick ? "┬" : "─") + (step == 2 ? "─" : "")
        }
        return [line, labels]
    }
}

/// Which price stands on which half line. Whole numbers only: units are 10⁻ˢᶜᵃˡᵉ of the quote currency.
private struct PriceAxis {
    var low: Int128
    var high: Int128
    var rows: Int
    var scale: Int

    private var halves: Int { rows * 2 }

    /// Counted from the top.
    private func half(_ price: Int128) -> Int {
        guard high > low else { return halves / 2 }
        return Int(share(high - price, of: high - low, steps: halves - 1))
    }

    func label(row: Int) -> String {
        guard high > low, rows > 1 else { return row == rows / 2 / 4 * 4 ? text(low) : "" }
        // By quotient and rest: the product might not fit.
        let (quotient, rest) = (high - low).quotientAndRemainder(dividingBy: Int128(halves))
        let part = Int128(row * 2 + 1)
        return text(high - quotient * part - rest * part / Int128(halves))
    }

    private func text(_ units: Int128) -> String { PostgresNumeric(unscaled: units, scale: scale).description }

    /// One cell per row, from the top.
    /// - Parameter isPlain: without colours, falling bodies are full blocks.
    func cells(of candle: CandleRecord, scale: Int, isPlain: Bool) -> [String] {
        guard let open = candle.open, let high = candle.high, let low = candle.low, let close = candle.close else {
            return Array(repeating: " ", count: rows)
        }
        let (open1, close1) = (half(open.units(at: scale)), half(close.units(at: scale)))
        let body = min(open1, close1)...max(open1, close1)
        let wick = half(high.units(at: scale))...half(low.units(at: scale))
        func part(_ index: Int) -> Int { body.contains(index) ? 2 : wick.contains(index) ? 1 : 0 }
        let falling = isPlain && candle.isFalling
        let signs =
            falling
            ? [[" ", "╷", "▄"], ["╵", "│", "▄"], ["▀", "▀", "█"]]
            : [[" ", "╷", "╻"], ["╵", "│", "╽"], ["╹", "╿", "┃"]]
        return (0..<rows).map { signs[part($0 * 2)][part($0 * 2 + 1)] }
    }
}

/// `steps` × part ÷ whole, without overflow; a part is at most the whole.
func share(_ part: Int128, of whole: Int128, steps: Int, isRounded: Bool = true) -> Int128 {
    var (part, whole) = (part, whole)
    while whole > Int128(Int64.max) { (part, whole) = (part / 2, whole / 2) }
    return (part * Int128(steps) + (isRounded ? whole / 2 : 0)) / whole
}

extension CandleRecord {
    var isFalling: Bool {
        guard let open, let close else { return false }
        return close.units(at: scaleMax) < open.units(at: scaleMax)
    }

    /// The digits after the point that all four prices need.
    var scaleMax: Int { [open, high, low, close].compactMap { $0?.scale }.max() ?? 0 }
}

extension PostgresNumeric {
    /// How many 10⁻ˢᶜᵃˡᵉ it is, for drawing: what is too large to be counted so stands at the edge. The scale must not be
    /// less than its own.
    func units(at scale: Int) -> Int128 {
        let edge = Int128.max / 2
        guard unscaled.magnitude < edge.magnitude else { return unscaled < 0 ? -edge : edge }
        var units = unscaled
        for _ in self.scale..<max(self.scale, scale) {
            let (product, overflow) = units.multipliedReportingOverflow(by: 10)
            guard !overflow, product.magnitude < edge.magnitude else { return unscaled < 0 ? -edge : edge }
            units = product
        }
        return units
    }
}
