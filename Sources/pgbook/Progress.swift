import Glibc

/// A bar with rate and time left on standard error, while a person is looking; otherwise nothing.
struct ProgressBar {
    private let total: Int
    private let unit: String
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?
    private let isShown = isatty(STDERR_FILENO) == 1

    /// - Parameter total: what `done` counts up to.
    init(total: Int, unit: String) {
        self.total = max(1, total)
        self.unit = unit
    }

    /// Draws at most ten times a second.
    /// - Parameter count: how many units were done, for the rate.
    mutating func update(done: Int, count: Int) {
        let now = ContinuousClock.now
        guard isShown, lastDrawn.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
        lastDrawn = now
        let elapsedMilliseconds = max(1, (now - start).milliseconds)
        let permille = min(1000, done * 1000 / total)
        let cells = permille * 30 / 1000
        let bar = String(repeating: "█", count: cells) + String(repeating: "░", count: 30 - cells)
        let rate = count * 1000 / elapsedMilliseconds
        let left = done > 0 ? elapsedMilliseconds * (total - done) / done / 1000 : 0
        writeError(
            "\r\(bar) \(permille / 10) %  \(count) \(unit)  \(rate)/s  \(left / 60):\(left % 60 < 10 ? "0" : "")\(left % 60) left \u{1B}[K"
        )
    }

    /// Takes the bar away.
    mutating func finish() {
        guard isShown, lastDrawn != nil else { return }
        writeError("\r\u{1B}[K")
    }

    /// Since the beginning.
    var elapsed: Duration { ContinuousClock.now - start }
}

extension Duration {
    var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }

    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }

    /// `12.345 s`.
    var inSeconds: String {
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return "\(seconds).\(String(repeating: "0", count: 3 - String(rest).count))\(rest) s"
    }
}

/// Text on standard error, as it is. What cannot be written there is nobody's loss.
func writeError(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
