extension SnapshotFrame {
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.byte(CodecLimits.version)
        writer.byte(kind.rawValue)
        writer.small(copy)
        switch self {
        case .request(_, let amount), .end(_, let amount), .credit(_, let amount): writer.small(amount)
        case .begin(_, let bytes), .chunk(_, let bytes): writer.block(bytes)
        case .refused(_, let reason): writer.text(reason)
        case .cancel: break
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(CodecError) {
        var reader = ByteReader(bytes)
        let version = try reader.byte("the version")
        guard version == CodecLimits.version else {
            throw CodecError("its version is \(version), not \(CodecLimits.version)")
        }
        let code = try reader.byte("the kind")
        guard let kind = Kind(rawValue: code) else { throw CodecError("snapshot kind \(code) is unknown") }
        self = try Self.read(kind, copy: try reader.small("the copy's number"), from: &reader)
        try reader.finish()
    }

    private static func read(_ kind: Kind, copy: Int64, from reader: inout ByteReader) throws(CodecError) -> Self {
        switch kind {
        case .request: .request(copy: copy, credit: try amount(from: &reader))
        case .begin:
            .begin(copy: copy, header: Array(try reader.block("the header", max: CodecLimits.snapshotHeaderBytesMax)))
        case .chunk: .chunk(copy: copy, Array(try reader.block("a part", max: CodecLimits.snapshotChunkBytesMax)))
        case .end: .end(copy: copy, bytes: try amount(from: &reader))
        case .refused: .refused(copy: copy, because: try reader.text("a reason"))
        case .credit: .credit(copy: copy, try amount(from: &reader))
        case .cancel: .cancel(copy: copy)
        }
    }

    private static func amount(from reader: inout ByteReader) throws(CodecError) -> Int64 {
        let amount = try reader.small("an amount of bytes")
        guard amount >= 0 else { throw CodecError("an amount of bytes is \(amount)") }
        return amount
    }

    private enum Kind: UInt8 {
        case request = 1
        case begin = 2
        case chunk = 3
        case end = 4
        case refused = 5
        case credit = 6
        case cancel = 7
    }

    private var kind: Kind {
        switch self {
        case .request: .request
        case .begin: .begin
        case .chunk: .chunk
        case .end: .end
        case .refused: .refused
        case .credit: .credit
        case .cancel: .cancel
        }
    }
}
