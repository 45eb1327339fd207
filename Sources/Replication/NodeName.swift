/// What a node is called: the name in its certificate. 1 to 32 of a–z, 0–9 and `-`, not beginning with `-`.
public struct NodeName: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: String

    /// Nil where it is not a name.
    public init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard (1...32).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.allSatisfy(Self.allows) else {
            return nil
        }
        self.rawValue = rawValue
    }

    public init?(_ name: String) { self.init(rawValue: name) }

    /// By bytes, as everything that nodes must agree on.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue.utf8.lexicographicallyPrecedes(b.rawValue.utf8) }

    public var description: String { rawValue }

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
