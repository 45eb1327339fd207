extension Hello {
    func write(to writer: inout ByteWriter) {
        writer.text(clusterID)
        writer.list(members) { $1.write(to: &$0) }
        writer.small(window)
        writer.list(markets) { $1.write(to: &$0) }
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            clusterID: try reader.text("the cluster's id"),
            members: try reader.list("members", max: CodecLimits.membersMax) { reader throws(CodecError) in
                try NodeName(from: &reader)
            },
            window: try reader.small("the window"),
            markets: try reader.list("markets", max: CodecLimits.marketsMax) { reader throws(CodecError) in
                try MarketDefinition(from: &reader)
            })
    }
}

extension MarketDefinition {
    func write(to writer: inout ByteWriter) {
        writer.text(symbol)
        writer.text(tickSize)
        writer.text(lotSize)
        writer.small(maxAmount)
        writer.optional(maxNotional) { $0.text($1) }
        writer.small(minPrice)
        writer.small(maxPrice)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            symbol: try reader.text("a market"), tickSize: try reader.text("a tick size"),
            lotSize: try reader.text("a lot size"), maxAmount: try reader.small("the largest amount"),
            maxNotional: try reader.optional("the largest notional") { reader throws(CodecError) in
                try reader.text("the largest notional")
            },
            minPrice: try reader.small("the lowest price"), maxPrice: try reader.small("the highest price"))
    }
}
