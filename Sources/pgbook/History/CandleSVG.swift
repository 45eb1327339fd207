import Postgres
import Store

/// Candles as one self-contained SVG: prices, volumes, axes; no scripts, no fonts, legible on light and dark pages.
struct CandleSVG {
    var market: String
    var interval: String
    var candles: [CandleRecord]

    private let width = 960
    private let height = 540
    private let left = 16
    private let right = 88
    private let top = 40
    private let priceBottom = 400
    private let volumeTop = 416
    private let volumeBottom = 500

    var text: String {
        let traded = candles.filter { $0.open != nil }
        let scale = traded.map(\.scaleMax).max() ?? 0
        let low = traded.compactMap { $0.low?.units(at: scale) }.min() ?? 0
        let high = traded.compactMap { $0.high?.units(at: scale) }.max() ?? 0
        let span = max(1, high - low)
        func y(_ price: PostgresNumeric) -> String {
            let below = share(
                high - price.units(at: scale), of: span, steps: (priceBottom - top) * 10, isRounded: false)
            return tenths(Int128(top * 10) + below)
        }
        var lines = [head, title]
        for step in 0...5 {
            let units = high - (span / 5 * Int128(step) + span % 5 * Int128(step) / 5)
            let line = top + (priceBottom - top) * step / 5
            lines.append("<path class=\"g\" d=\"M\(left) \(line)H\(width - right)\"/>")
            lines.append(
                "<text x=\"\(width - right + 8)\" y=\"\(line + 4)\">\(PostgresNumeric(unscaled: units, scale: scale))</text>"
            )
        }
        let step = max(1, (width - left - right) * 10 / max(1, candles.count))
        let body = max(4, step * 7 / 10)
        let volumeScale = candles.map(\.volume.scale).max() ?? 0
        let most = max(1, candles.map { $0.volume.units(at: volumeScale) }.max() ?? 1)
        for (index, candle) in candles.enumerated() {
            let middle = Int128(left * 10 + index * step + step / 2)
            if let open = candle.open, let high = candle.high, let low = candle.low, let close = candle.close {
                let (above, below) = candle.isFalling ? (open, close) : (close, open)
                lines.append(
                    "<g class=\"\(candle.isFalling ? "d" : "u")\"><title>\(tooltip(candle))</title>"
                        + "<path d=\"M\(tenths(middle)) \(y(high))V\(y(low))\"/>"
                        + "<path stroke-width=\"\(tenths(Int128(body)))\" d=\"M\(tenths(middle)) \(y(above))V\(y(below))v.8\"/></g>"
                )
            }
            let bar = share(
                candle.volume.units(at: volumeScale), of: most, steps: (volumeBottom - volumeTop) * 10,
                isRounded: false)
            if bar > 0 {
                lines.append(
                    "<path class=\"\(candle.isFalling ? "d" : "u") v\" stroke-width=\"\(tenths(Int128(body)))\" d=\"M\(tenths(middle)) \(volumeBottom)V\(tenths(Int128(volumeBottom * 10) - bar))\"/>"
                )
            }
        }
        lines.append("<path class=\"a\" d=\"M\(left) \(volumeBottom)H\(width - right)V\(top)\"/>")
        for index in stride(from: 0, to: candles.count, by: max(1, candles.count / 8)) {
            let x = tenths(Int128(left * 10 + index * step + step / 2))
            lines.append(
                "<text class=\"t\" x=\"\(x)\" y=\"\(volumeBottom + 18)\">\(candles[index].time.short.dropFirst(5).prefix(11))</text>"
            )
        }
        if let volume = candles.first(where: { $0.volume.units(at: volumeScale) == most })?.volume {
            lines.append("<text x=\"\(width - right + 8)\" y=\"\(volumeTop + 4)\">\(volume)</text>")
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    /// Greys that are legible on white and on black.
    private var head: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" role="img" font-family="sans-serif" font-size="12">
        <style>text{fill:#808080}.t{text-anchor:middle}.g{stroke:#808080;stroke-opacity:.25}.a{stroke:#808080;fill:none}
        .u{stroke:#1a9850}.d{stroke:#d73027}.v{stroke-opacity:.45}</style>
        """
    }

    private var title: String {
        let range = candles.first.map { first in
            "\(first.time.short.dropLast(4)) – \((candles.last ?? first).time.short.dropLast(4)) UTC"
        }
        return
            "<text x=\"\(left)\" y=\"22\" font-size=\"16\">\(escaped(market)) \(interval) · \(range ?? "no candles")</text>"
    }

    private func tooltip(_ candle: CandleRecord) -> String {
        func number(_ value: PostgresNumeric?) -> String { value.map { "\($0)" } ?? "" }
        return "\(candle.time.short.dropLast(4)) open \(number(candle.open)) high \(number(candle.high)) low "
            + "\(number(candle.low)) close \(number(candle.close)) volume \(candle.volume)"
    }

    /// A tenth of a unit is finer than anybody sees.
    private func tenths(_ value: Int128) -> String { "\(value / 10).\(value % 10)" }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
