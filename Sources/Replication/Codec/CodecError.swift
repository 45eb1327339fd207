/// Why bytes are not a message, in one line.
public struct CodecError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }

    static func ends(in part: String) -> CodecError { CodecError("it ends within \(part)") }
}
