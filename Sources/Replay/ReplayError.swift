/// A line of an input that cannot be read.
public struct ReplayError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1, comments and empty lines included.
    public var line: Int
    /// The line as it stands, shortened.
    public var text: String
    public var problem: String

    init(line: Int, bytes: ArraySlice<UInt8>, problem: String) {
        self.line = line
        self.text = String(decoding: bytes.prefix(80), as: UTF8.self) + (bytes.count > 80 ? "…" : "")
        self.problem = problem
    }

    public var description: String { "line \(line): \(problem): \(text)" }
}
