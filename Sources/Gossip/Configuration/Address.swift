/// A host and a port: `db1.example:7420`, `10.0.0.1:7420`, `[::1]:7420`.
public struct Address: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil where it is none.
    /// - Parameter portDefault: taken where none is given; without it there must be one.
    public init?(_ text: String, portDefault: Int? = nil) {
        var host = Substring(text)
        var port = portDefault
        let end =
            text.hasPrefix("[") ? text.firstIndex(of: "]").map { text.index(after: $0) } : text.firstIndex(of: ":")
        if let end, end < text.endIndex {
            guard text[end] == ":", let number = Int(text[text.index(after: end)...]), number >= 0 else { return nil }
            (host, port) = (text[..<end], number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard let port, (0...65_535).contains(port), !host.isEmpty, !host.contains(where: \.isWhitespace) else {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
