/// A JSON document as it was written: numbers keep their text, members their order.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's own characters, which follow JSON's grammar.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: JSONValue
        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Reads exactly one document, within the limits.
    /// - Throws: `too_big`, `bad_utf8` or `bad_json`, with the position at fault.
    public static func parse(_ bytes: [UInt8], limits: WireLimits = WireLimits()) throws(WireError) -> JSONValue {
        guard bytes.count <= limits.messageBytesMax else {
            throw WireError(
                .tooBig, "the message has \(bytes.count) bytes; at most \(limits.messageBytesMax) are allowed")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw WireError(.badUTF8, "the message is not UTF-8")
        }
        var parser = JSONParser(bytes: bytes, limits: limits)
        return try parser.parseDocument()
    }

    /// What kind of value it is, in words.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
