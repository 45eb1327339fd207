/// Text that no log, message or dump of a value shows.
public struct Secret: Hashable, Sendable {
    /// The text, for whoever needs it.
    public var revealed: String

    public init(_ text: String) { revealed = text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "…" }
    public var debugDescription: String { "…" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
