import OrderBook

extension Items {
    func write(to writer: inout ByteWriter) {
        writer.byte(reason.rawValue)
        writer.list(items) { $1.write(to: &$0) }
        writer.list(answered) { $1.write(to: &$0) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let code = try reader.byte("a reason")
        guard let reason = Reason(rawValue: code) else { throw CodecError("reason \(code) is unknown") }
        self.init(
            reason: reason,
            items: try reader.list("items", max: CodecLimits.itemsMax) { reader throws(CodecError) in
                try JudgedItem(from: &reader)
            },
            answered: try reader.ranges())
    }
}

extension JudgedItem {
    /// The verdict and whether it is unconfirmed are in one byte.
    fileprivate func write(to writer: inout ByteWriter) {
        writer.byte(verdict.rawValue << 1 | (item.isUnconfirmed ? 1 : 0))
        writer.small(item.number)
        item.command.write(to: &writer)
    }

    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        let code = try reader.byte("a verdict")
        guard let verdict = Verdict(rawValue: code >> 1) else { throw CodecError("verdict \(code >> 1) is unknown") }
        let number = try reader.small("a number")
        self.init(
            LogItem(number: number, command: try Command(from: &reader), isUnconfirmed: code & 1 == 1), verdict)
    }
}

extension ByteReader {
    mutating func ranges() throws(CodecError) -> [LogRange] {
        try list("ranges", max: CodecLimits.rangesMax) { reader throws(CodecError) in try LogRange(from: &reader) }
    }
}

extension LogRange {
    func write(to writer: inout ByteWriter) {
        origin.write(to: &writer)
        numbers.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(origin: try NodeName(from: &reader), numbers: try ClosedRange(from: &reader))
    }
}

extension ClosedRange<Int64> {
    func write(to writer: inout ByteWriter) {
        writer.small(lowerBound)
        writer.small(UInt64(bitPattern: upperBound &- lowerBound))
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        let first = try reader.small("a range")
        let beyond = try reader.unsignedSmall("a range")
        let last = first &+ Int64(bitPattern: beyond)
        // Right where nothing overflowed, and by one spelling only.
        guard last >= first, UInt64(bitPattern: last &- first) == beyond else {
            throw CodecError("a range from \(first) is longer than numbers go")
        }
        self = first...last
    }
}

extension NodeName {
    func write(to writer: inout ByteWriter) { writer.text(rawValue) }

    init(from reader: inout ByteReader) throws(CodecError) {
        let text = try reader.text("a node's name")
        guard let name = NodeName(text) else { throw CodecError("'\(text.prefix(40))' is no node's name") }
        self = name
    }
}
