/// What keeps a node from joining its cluster: one line with the value at fault and what to do.
public struct GossipFault: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
