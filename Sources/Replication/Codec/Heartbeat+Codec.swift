import OrderBook

extension Heartbeat {
    func write(to writer: inout ByteWriter) {
        writer.small(number)
        writer.word(watermark.rawValue)
        writer.small(lastNumber)
        chain.write(to: &writer)
        writer.list(positions) { $1.write(to: &$0) }
        writer.list(markets) { $1.write(to: &$0) }
        writer.bool(isLevel)
        writer.word(sentAt.rawValue)
        writer.optional(echo) { writer, echo in
            writer.small(echo.number)
            writer.word(echo.sentAt.rawValue)
            writer.word(echo.receivedAt.rawValue)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            number: try reader.small("its number"),
            watermark: Timestamp(try reader.word("the watermark")), lastNumber: try reader.small("the last number"),
            chain: try ChainPoint(from: &reader),
            positions: try reader.list("positions", max: CodecLimits.membersMax) { reader throws(CodecError) in
                try LogPosition(from: &reader)
            },
            markets: try reader.list("markets", max: CodecLimits.marketsMax) { reader throws(CodecError) in
                try MarketPosition(from: &reader)
            },
            isLevel: try reader.bool("whether it is level"), sentAt: Timestamp(try reader.word("when it was sent")),
            echo: try reader.optional("an echo") { reader throws(CodecError) in try Echo(from: &reader) })
    }
}

extension Heartbeat.Echo {
    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            number: try reader.small("an echo"), sentAt: Timestamp(try reader.word("an echo")),
            receivedAt: Timestamp(try reader.word("an echo")))
    }
}

extension ChainPoint {
    func write(to writer: inout ByteWriter) {
        writer.word(through.rawValue)
        writer.optional(digest) { writer, digest in
            writer.word(digest.words.0)
            writer.word(digest.words.1)
            writer.word(digest.words.2)
            writer.word(digest.words.3)
        }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            through: Timestamp(try reader.word("a chain's time")),
            digest: try reader.optional("a digest") { reader throws(CodecError) in
                Digest(
                    (
                        try reader.unsignedWord("a digest"), try reader.unsignedWord("a digest"),
                        try reader.unsignedWord("a digest"), try reader.unsignedWord("a digest")
                    ))
            })
    }
}

extension LogPosition {
    fileprivate func write(to writer: inout ByteWriter) {
        origin.write(to: &writer)
        writer.small(contiguous)
        writer.list(beyond) { $1.write(to: &$0) }
        writer.small(highest)
        writer.optional(coming) { $1.write(to: &$0) }
    }

    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            origin: try NodeName(from: &reader), contiguous: try reader.small("a position"),
            beyond: try reader.list("a position's ranges", max: CodecLimits.rangesMax) { reader throws(CodecError) in
                try ClosedRange(from: &reader)
            },
            highest: try reader.small("a position"),
            coming: try reader.optional("a range") { reader throws(CodecError) in try ClosedRange(from: &reader) })
    }
}

extension MarketPosition {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.text(market)
        writer.small(seq.rawValue)
        writer.word(digestHead)
    }

    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            market: try reader.text("a market"), seq: Seq(try reader.small("a market's seq")),
            digestHead: try reader.word("a market's digest"))
    }
}
