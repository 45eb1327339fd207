import OrderBook
import Postgres

/// A table for people: columns aligned, numbers at their points, no lines.
struct Table {
    enum Alignment { case left, right, point }

    private var titles: [String]
    private var alignments: [Alignment]
    private var rows: [[String]] = []
    /// Of each row; nil is plain.
    private var styles: [Style?] = []

    init(_ columns: (title: String, alignment: Alignment)...) { self.init(columns) }

    init(_ columns: [(title: String, alignment: Alignment)]) {
        titles = columns.map(\.title)
        alignments = columns.map(\.alignment)
    }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: String?..., style: Style? = nil) { add(cells, style: style) }

    mutating func add(_ cells: [String?], style: Style? = nil) {
        rows.append(cells.map { printable($0 ?? "") })
        styles.append(style)
    }

    func lines(on screen: Screen, indent: Int = 0) -> [String] {
        var columns: [[String]] = []
        for (column, alignment) in alignments.enumerated() {
            var cells = rows.map { $0[column] }
            if alignment == .point { cells = alignedAtPoint(cells) }
            let width = max(titles[column].count, cells.map(\.count).max() ?? 0)
            columns.append(
                ([titles[column]] + cells).map { alignment == .left ? $0.padded(to: width) : $0.paddedLeft(to: width) })
        }
        let margin = String(repeating: " ", count: indent)
        return (0...rows.count).map { row in
            let line = columns.map { $0[row] }.joined(separator: "  ")
            let trimmed = margin + line.trimmingSpaces()
            return row == 0 ? screen.styled(trimmed, .dim) : screen.styled(trimmed, styles[row - 1])
        }
    }
}

func printLines(_ lines: [String]) {
    for line in lines { print(line) }
}

/// Pads numbers on the right so that their points stand in one column.
func alignedAtPoint(_ numbers: [String]) -> [String] {
    func fraction(_ text: String) -> Int {
        text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) } ?? 0
    }
    let widest = numbers.map(fraction).max() ?? 0
    return numbers.map { $0 + String(repeating: " ", count: widest - fraction($0)) }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
    func paddedLeft(to width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }

    fileprivate func trimmingSpaces() -> String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Text that may come from anybody, without what would steer the terminal.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var shown = ""
    for scalar in text.unicodeScalars { shown.unicodeScalars.append(isControl(scalar) ? "\u{FFFD}" : scalar) }
    return shown
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.properties.generalCategory == .format
}

extension Timestamp {
    /// `2026-11-21T09:34:14.523456Z`
    var iso: String { PostgresTimestamp(microsecondsSinceUnixEpoch: rawValue).description }

    /// `2026-11-21 09:34:14.523`, UTC.
    var short: String { String(iso.replacing("T", with: " ").dropLast(4)) }
}
