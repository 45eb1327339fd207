import Foundation
import Glibc
public import OrderBook

/// What an export holds, for whoever receives it: written last, so that it speaks of complete files only.
public struct ExportManifest: Sendable {
    /// `trades`, `candles` or `orders`.
    public var kind: String
    public var markets: [String]
    public var format: String
    public var interval: String?
    /// What was asked for, or where the data begin and end.
    public var from: Timestamp?
    public var to: Timestamp?
    public var files: [ExportedFile]

    public init(
        kind: String, markets: [String], format: String, interval: String? = nil, from: Timestamp?, to: Timestamp?,
        files: [ExportedFile]
    ) {
        self.kind = kind
        self.markets = markets
        self.format = format
        self.interval = interval
        self.from = from
        self.to = to
        self.files = files
    }

    /// Writes it beside the files of a target.
    /// - Returns: its path.
    @discardableResult
    public func write(for target: ExportTarget) throws -> String {
        guard let path = target.manifestPath else {
            throw HistoryError(.usage, "a manifest stands beside a file; give one with -o FILE")
        }
        let partial = path + ".partial"
        let descriptor = Glibc.open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fileFault("cannot write \(partial)") }
        defer { close(descriptor) }
        let bytes = Array(try text().utf8)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0 else {
            unlink(partial)
            throw fileFault("cannot write \(partial)")
        }
        try replace(path, by: partial)
        return path
    }

    /// JSON, a member per line.
    func text() throws -> String {
        var lines = [("kind", quoted(kind)), ("format", quoted(format))]
        lines.append(("markets", "[" + markets.map(quoted).joined(separator: ",") + "]"))
        if let interval { lines.append(("interval", quoted(interval))) }
        if let from { lines.append(("from", quoted(text(of: from)))) }
        if let to { lines.append(("to", quoted(text(of: to)))) }
        lines.append(("rows", "\(files.reduce(0) { $0 + $1.rows })"))
        lines.append(("first_trade_id", number(files.first { $0.firstTrade != nil }?.firstTrade)))
        lines.append(("last_trade_id", number(files.last { $0.lastTrade != nil }?.lastTrade)))
        let entries = try files.map { try "    " + entry($0) }.joined(separator: ",\n")
        lines.append(("files", files.isEmpty ? "[]" : "[\n\(entries)\n  ]"))
        return "{\n" + lines.map { "  \(quoted($0.0)): \($0.1)" }.joined(separator: ",\n") + "\n}\n"
    }

    private func entry(_ file: ExportedFile) throws -> String {
        let (size, digest) = try sha256(file.path)
        let name = file.path.split(separator: "/").last.map { String($0) } ?? file.path
        return "{\"name\": \(quoted(name)), \"rows\": \(file.rows), \"first_trade_id\": \(number(file.firstTrade)), "
            + "\"last_trade_id\": \(number(file.lastTrade)), \"bytes\": \(size), \"sha256\": \"\(digest)\"}"
    }

    private func number(_ value: Int64?) -> String { value.map { "\($0)" } ?? "null" }

    private func text(of time: Timestamp) -> String {
        let seconds = formatted(time.rawValue, "%Y-%m-%dT%H:%M:%S")
        let micros = time.rawValue - floor(time.rawValue, by: 1_000_000) * 1_000_000
        return micros == 0 ? seconds + "Z" : seconds + ".\(String(micros + 1_000_000).dropFirst())Z"
    }
}

/// Text as a JSON string.
func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": quoted += "\\\(scalar)"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}

/// Size and digest of a file, read in pieces.
private func sha256(_ path: String) throws -> (size: Int, digest: String) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fileFault("cannot read \(path)") }
    defer { close(descriptor) }
    var hash = SHA256()
    var size = 0
    var piece = [UInt8](repeating: 0, count: ExportLimits.bufferBytes)
    while true {
        let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw fileFault("cannot read \(path)") }
        guard count > 0 else { break }
        hash.update(piece[..<count])
        size += count
    }
    let (a, b, c, d) = hash.finalize().words
    let digest = [a, b, c, d].map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return (size, digest.joined())
}
