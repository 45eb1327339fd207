import OrderBook

/// A message as bytes: version, kind, content. Every message has one spelling, and every spelling one message.
extension Message {
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.byte(CodecLimits.version)
        writer.byte(kind.rawValue)
        switch self {
        case .hello(let hello): hello.write(to: &writer)
        case .items(let items): items.write(to: &writer)
        case .pull(let pull): writer.list(pull.ranges) { $1.write(to: &$0) }
        case .propose(let proposals): writer.list(proposals) { $1.command.write(to: &$0) }
        case .confirm(let ids), .withdraw(let ids): writer.list(ids) { $1.write(to: &$0) }
        case .heartbeat(let heartbeat): heartbeat.write(to: &writer)
        case .chainQuery(let time): writer.word(time.rawValue)
        case .chainAnswer(let point): point.write(to: &writer)
        case .late(let ranges): writer.list(ranges) { $1.write(to: &$0) }
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
        guard let kind = Kind(rawValue: code) else { throw CodecError("its kind \(code) is unknown") }
        self = try Self.read(kind, from: &reader)
        try reader.finish()
    }

    private static func read(_ kind: Kind, from reader: inout ByteReader) throws(CodecError) -> Message {
        switch kind {
        case .hello: .hello(try Hello(from: &reader))
        case .items: .items(try Items(from: &reader))
        case .pull: .pull(Pull(ranges: try reader.ranges()))
        case .propose: .propose(try proposals(from: &reader))
        case .confirm: .confirm(try ids(from: &reader))
        case .withdraw: .withdraw(try ids(from: &reader))
        case .heartbeat: .heartbeat(try Heartbeat(from: &reader))
        case .chainQuery: .chainQuery(Timestamp(try reader.word("the time")))
        case .chainAnswer: .chainAnswer(try ChainPoint(from: &reader))
        case .late: .late(try reader.ranges())
        }
    }

    private static func proposals(from reader: inout ByteReader) throws(CodecError) -> [Proposal] {
        try reader.list("proposals", max: CodecLimits.proposalsMax) { reader throws(CodecError) in
            Proposal(command: try Command(from: &reader))
        }
    }

    private static func ids(from reader: inout ByteReader) throws(CodecError) -> [OrderID] {
        try reader.list("ids", max: CodecLimits.idsMax) { reader throws(CodecError) in try OrderID(from: &reader) }
    }

    private enum Kind: UInt8 {
        case hello = 1
        case items = 2
        case pull = 3
        case propose = 4
        case confirm = 5
        case withdraw = 6
        case heartbeat = 7
        case chainQuery = 8
        case chainAnswer = 9
        case late = 10
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .items: .items
        case .pull: .pull
        case .propose: .propose
        case .confirm: .confirm
        case .withdraw: .withdraw
        case .heartbeat: .heartbeat
        case .chainQuery: .chainQuery
        case .chainAnswer: .chainAnswer
        case .late: .late
        }
    }
}
