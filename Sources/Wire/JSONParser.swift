/// A strict recursive-descent parser of RFC 8259 over bytes that are known to be UTF-8.
struct JSONParser {
    private let bytes: [UInt8]
    private let limits: WireLimits
    private var position = 0
    private var depth = 0

    init(bytes: [UInt8], limits: WireLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func parseDocument() throws(WireError) -> JSONValue {
        skipSpace()
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw bad("text after the end of the document") }
        return value
    }

    private mutating func parseValue() throws(WireError) -> JSONValue {
        guard let byte = peek else { throw bad("the document ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { parser throws(WireError) in try parser.parseObject() }
        case UInt8(ascii: "["): return try nested { parser throws(WireError) in try parser.parseArray() }
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw bad("a value should be here")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(WireError) -> JSONValue
    ) throws(WireError) -> JSONValue {
        guard depth < limits.depthMax else {
            throw WireError(.tooBig, "the message nests deeper than \(limits.depthMax) levels")
        }
        depth += 1
        position += 1
        skipSpace()
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func parseObject() throws(WireError) -> JSONValue {
        var members: [JSONValue.Member] = []
        if take("}") { return .object(members) }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw bad("a key in quotes should be here") }
            let key = try parseString()
            // By scalars: Swift's `==` would call two spellings of é one key.
            if members.contains(where: { $0.key.utf8.count == key.utf8.count && $0.key.utf8.elementsEqual(key.utf8) }) {
                throw WireError(.badJSON, "the key stands twice", field: key)
            }
            guard members.count < limits.membersMax else {
                throw WireError(.tooBig, "an object has more than \(limits.membersMax) members")
            }
            skipSpace()
            guard take(":") else { throw bad("a colon should be here") }
            skipSpace()
            members.append(.init(key: key, value: try parseValue()))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw bad("a comma or } should be here") }
            skipSpace()
        }
    }

    private mutating func parseArray() throws(WireError) -> JSONValue {
        var elements: [JSONValue] = []
        if take("]") { return .array(elements) }
        while true {
            elements.append(try parseValue())
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw bad("a comma or ] should be here") }
            skipSpace()
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(WireError) -> JSONValue {
        let expected = word.description.utf8
        guard bytes[position...].starts(with: expected) else { throw bad("a value should be here") }
        position += expected.count
        return value
    }

    private mutating func parseNumber() throws(WireError) -> JSONValue {
        let start = position
        while let byte = peek, Self.isNumberByte(byte) { position += 1 }
        let token = Array(bytes[start..<position])
        var scanner = DecimalScanner(bytes: token)
        guard scanner.scan() != nil else {
            position = start
            throw bad("not a number of JSON's grammar")
        }
        return .number(String(decoding: token, as: UTF8.self))
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func parseString() throws(WireError) -> String {
        position += 1
        let start = position
        // Most strings have no escape: they are one slice of the input.
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if peek == UInt8(ascii: "\"") {
            defer { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        var text = Array(bytes[start..<position])
        while true {
            guard let byte = peek else { throw bad("a string is not closed") }
            guard byte >= 0x20 else { throw bad("a control character stands in a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try parseEscape(into: &text)
            default: text.append(byte)
            }
        }
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(WireError) {
        guard let byte = peek else { throw bad("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try parseUnicodeEscape())).utf8)
        default: throw bad("an unknown escape stands in a string")
        }
    }

    private mutating func parseUnicodeEscape() throws(WireError) -> Unicode.Scalar {
        let first = try parseHexQuad()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A high surrogate and its low one make a scalar; alone, neither is a character.
        guard first < 0xDC00, take("\\"), take("u") else { throw bad("half of a surrogate pair stands in a string") }
        let second = try parseHexQuad()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw bad("half of a surrogate pair stands in a string") }
        return scalar
    }

    private mutating func parseHexQuad() throws(WireError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw bad("four hexadecimal digits should follow \\u")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func bad(_ what: String) -> WireError {
        WireError(.badJSON, "not JSON: \(what), at byte \(position)")
    }
}
