public import OrderBook
public import Postgres

extension Connection {
    /// This database's place in its cluster; nil where it is alone.
    public func clusterState() throws -> ClusterState? {
        try execute(SQL.readCluster).first.map { row in
            var columns = row.reader()
            return ClusterState(
                clusterID: try columns.next(), node: try columns.next(), members: try columns.next(),
                window: try columns.next(), closedThrough: Timestamp(try columns.next(PostgresTimestamp.self)),
                chain: try decodeDigest(try columns.next()), bound: Timestamp(try columns.next(PostgresTimestamp.self)),
                agreed: Timestamp(try columns.next(PostgresTimestamp.self)), admits: try columns.next(),
                notReady: try columns.next(),
                heardAt: try columns.next(PostgresTimestamp?.self).map { Timestamp($0) })
        }
    }

    /// Why this node is not ready, in one line: it takes no commands, or what it shows is old. Nil where it is, or is no
    /// node of a cluster.
    public func notReady() throws -> String? { try execute(SQL.notReady).one().decode(at: 0) }

    /// Which numbers are stored of each log, rising.
    public func storedSpans() throws -> [StoredSpan] {
        try execute(SQL.storedRanges).map { row in
            var columns = row.reader()
            let origin = try columns.next(String.self)
            let first = try columns.next(Int64.self)
            return StoredSpan(
                span: LogSpan(origin: origin, numbers: first...(try columns.next(Int64.self))),
                lastStamp: Timestamp(try columns.next(PostgresTimestamp.self)))
        }
    }

    /// Commands that are accepted and not closed, in no particular order.
    /// One that cannot be read is left to the matcher, which refuses it.
    public func waitingItems() throws -> [LoggedItem] {
        try execute(SQL.readWaiting).compactMap { try? LoggedItem.decode($0) }
    }

    /// Commands kept for other nodes, which are their origins, in the order in which they came.
    public func proposals() throws -> [Command] {
        try execute(SQL.readProposals).compactMap { row in
            var columns = row.reader()
            // What cannot be read is no loss: its origin has it.
            guard let market = try? columns.next(String.self) else { return nil }
            return try? Command.decode(&columns, market: market)
        }
    }

    /// What is stored of some spans, in their order; without what cannot be read.
    /// - Parameter max: stops after so many.
    public func items(_ spans: [LogSpan], max: Int) throws -> [LoggedItem] {
        var items: [LoggedItem] = []
        for span in spans {
            var numbers = span.numbers
            while items.count < max {
                let wanted = max - items.count
                let rows = try execute(
                    SQL.readItems, span.origin, numbers.lowerBound, numbers.upperBound, Int64(wanted))
                items += rows.compactMap { try? LoggedItem.decode($0) }
                guard rows.count == wanted, let last: Int64 = try rows.last?.decode(at: 0), last < numbers.upperBound
                else { break }
                numbers = (last + 1)...numbers.upperBound
            }
        }
        return items
    }

    /// The markets that a cluster shares, by the bytes of their symbols.
    public func sharedMarkets() throws -> [SharedMarket] {
        try execute(SQL.marketDefinitions).map { row in
            var columns = row.reader()
            return SharedMarket(
                symbol: try columns.next(), tickSize: try columns.next(), lotSize: try columns.next(),
                maxAmount: try columns.next(), maxNotional: try columns.next(), minPrice: try columns.next(),
                maxPrice: try columns.next())
        }
    }

    /// How far each market was executed, by the bytes of their symbols.
    public func sharedPositions() throws -> [SharedPosition] {
        try execute(SQL.marketPositions).map { row in
            let digest = try decodeDigest(try row.decode(at: 2))
            return SharedPosition(
                market: try row.decode(at: 0), seq: Seq(try row.decode(at: 1)),
                digestHead: Int64(bitPattern: digest.words.0))
        }
    }

    /// This node's own digests at a peer's positions; those it has not reached are left out.
    public func digestHeads(at positions: [SharedPosition]) throws -> [SharedPosition] {
        try execute(SQL.digestHeads, positions.map(\.market), positions.map(\.seq.rawValue)).map { row in
            var position = positions[Int(try row.decode(Int64.self, at: 0)) - 1]
            position.digestHead = try row.decode(at: 1)
            return position
        }
    }
}

func decodeDigest(_ bytes: [UInt8]) throws(StoreFault) -> Digest {
    guard let digest = Digest(bytes: bytes) else { throw StoreFault("a digest of \(bytes.count) bytes") }
    return digest
}
