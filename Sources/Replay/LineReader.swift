/// The lines of a text, with their numbers. A carriage return before the line feed is not part of the line.
struct LineReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var lineNumber = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// How many bytes are read, for a progress bar.
    var bytesRead: Int { position }

    mutating func next() -> ArraySlice<UInt8>? {
        guard position < bytes.count else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
        var end = position
        position += 1
        lineNumber += 1
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return bytes[start..<end]
    }
}

/// Reads the comma-separated fields of one line from left to right. Every getter is nil where the field is missing or is
/// not what was asked for.
struct FieldReader {
    private var rest: ArraySlice<UInt8>
    private var isAtEnd = false

    init(_ line: ArraySlice<UInt8>) { rest = line }

    /// Every field is read.
    var isFinished: Bool { isAtEnd }

    mutating func bytes() -> ArraySlice<UInt8>? {
        guard !isAtEnd else { return nil }
        guard let comma = rest.firstIndex(of: UInt8(ascii: ",")) else {
            isAtEnd = true
            return rest
        }
        defer { rest = rest[(comma + 1)...] }
        return rest[..<comma]
    }

    mutating func text() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }

    /// A whole decimal number that fits 64 bits.
    mutating func integer() -> Int64? {
        guard !isAtEnd, !rest.isEmpty else { return nil }
        var position = rest.startIndex
        let isNegative = rest[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var value: Int64 = 0
        var digits = 0
        while position < rest.endIndex, rest[position] != UInt8(ascii: ",") {
            guard case UInt8(ascii: "0")...UInt8(ascii: "9") = rest[position] else { return nil }
            let digit = Int64(rest[position] - UInt8(ascii: "0"))
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, carry) =
                isNegative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = next
            digits += 1
            position += 1
        }
        if digits == 0 { return nil }
        if position == rest.endIndex { isAtEnd = true } else { rest = rest[(position + 1)...] }
        return value
    }
}
