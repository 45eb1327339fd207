import OrderBook
import Replication
import TestRandom
import Testing

/// What goes between nodes as bytes.
@Suite struct CodecTests {
    /// What a codec gives for bytes: the bytes that its reading is written as, or nil where it refuses them.
    private typealias Again = @Sendable ([UInt8]) throws -> [UInt8]

    private let message: Again = { try Message(decoding: $0).encoded }
    private let snapshot: Again = { try SnapshotFrame(decoding: $0).encoded }

    private static let seeds = [UInt64](1...5)

    @Test(arguments: seeds) func `a message is read as it was written`(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for _ in 0..<400 {
            let message = random.next()
            let again = try Message(decoding: message.encoded)
            #expect(again == message, "seed \(seed)")
            // Equal strings may differ in bytes; these may not.
            #expect(again.encoded == message.encoded, "seed \(seed)")
            let frame = random.snapshotFrame()
            #expect(try SnapshotFrame(decoding: frame.encoded) == frame, "seed \(seed)")
        }
    }

    @Test(arguments: seeds) func `a message that is cut short is refused, wherever`(seed: UInt64) {
        var random = RandomMessages(seed: seed)
        for _ in 0..<12 {
            for (bytes, again) in [(random.next().encoded, message), (random.snapshotFrame().encoded, snapshot)] {
                for count in bytes.indices {
                    #expect(throws: CodecError.self, "seed \(seed)") { try again(Array(bytes[..<count])) }
                }
            }
        }
    }

    /// So no two spellings of one message exist.
    @Test(arguments: seeds) func `what a changed byte makes is refused, or is exactly what the bytes say`(seed: UInt64)
    {
        var random = RandomMessages(seed: seed)
        var tally = (refused: 0, other: 0)
        for _ in 0..<12 {
            for (bytes, again) in [(random.next().encoded, message), (random.snapshotFrame().encoded, snapshot)] {
                for index in bytes.indices {
                    var changed = bytes
                    changed[index] ^= UInt8(1 + random.below(255))
                    guard let read = try? again(changed) else {
                        tally.refused += 1
                        continue
                    }
                    tally.other += 1
                    #expect(read == changed, "seed \(seed)")
                }
            }
        }
        #expect(tally.refused > 0 && tally.other > 0)
    }

    @Test(arguments: seeds) func `any bytes at all are read or refused`(seed: UInt64) {
        var random = RandomMessages(seed: seed)
        for _ in 0..<4_000 {
            // The right version and a kind, then anything.
            var bytes = [CodecLimits.version, UInt8(random.below(12))]
            for _ in 0..<random.below(60) { bytes.append(UInt8(random.below(256))) }
            for again in [message, snapshot] {
                guard let read = try? again(bytes) else { continue }
                #expect(read == bytes, "seed \(seed)")
            }
        }
    }

    @Test func `an error says in one line what is wrong`() throws {
        let query = Message.chainQuery(Timestamp(1)).encoded
        let huge: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x0f]
        let version = CodecLimits.version
        let cases: [(bytes: [UInt8], text: String)] = [
            ([], "it ends within the version"),
            ([9], "its version is 9, not \(version)"),
            ([version], "it ends within the kind"),
            ([version, 77], "its kind 77 is unknown"),
            (query.dropLast(), "it ends within the time"),
            (query + [0], "1 bytes follow its end"),
            ([version, 2, 9], "reason 9 is unknown"),
            ([version, 2, 0] + huge, "4294967295 items, more than 4096"),
            ([version, 2, 0, 5], "it ends within items"),
            ([version, 5, 0x80, 0x00], "the number of ids is written longer than it is"),
            ([version, 5] + Array(repeating: 0xff, count: 10), "the number of ids has more than 64 bits"),
            ([version, 3, 1, 1, UInt8(ascii: "A")], "'A' is no node's name"),
            ([version, 1, 1, 0], "the cluster's id is not UTF-8 text"),
            ([version, 1, 1, 0xc3], "the cluster's id is not UTF-8 text"),
        ]
        for (bytes, text) in cases {
            let error = #expect(throws: CodecError.self) { try Message(decoding: bytes) }
            #expect(error?.description == text)
        }
    }

    @Test func `a range that numbers cannot hold is refused`() throws {
        let full = Message.late([LogRange(origin: NodeName("a")!, numbers: .min ... .max)])
        #expect(try Message(decoding: full.encoded) == full)
        let edge = Message.late([LogRange(origin: NodeName("a")!, numbers: .max ... .max)]).encoded
        #expect(throws: CodecError.self) { try Message(decoding: edge.dropLast() + [1]) }
    }

    /// A change of these bytes is a change of the version.
    @Test func `the bytes of a message are fixed`() {
        let command = Command(
            id: OrderID(high: 1, low: 2), time: Timestamp(3), market: "M", user: UserID("u"), origin: "a",
            action: .place(Place(side: .ask, price: PriceTicks(-1), amount: AmountLots(300), postOnly: true)))
        let items = Message.items(
            Items(
                reason: .relayed, items: [JudgedItem(LogItem(number: 7, command: command), .late)],
                answered: [LogRange(origin: NodeName("b")!, numbers: 5...8)]))
        #expect(
            items.encoded == [
                1, 2, 1, 1, 2, 14,
                0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,
                0, 0, 0, 0, 0, 0, 0, 3, 1, 77, 1, 117, 1, 97, 0,
                1, 0b111, 0xd8, 0x04, 1,
                1, 1, 98, 10, 3,
            ])
    }
}
