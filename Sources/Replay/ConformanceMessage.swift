public import OrderBook

/// One message of a conformance workload: `seq,type,side,ioc,qty,order_id,price`.
public struct ConformanceMessage: Hashable, Sendable {
    public var seq: Int64
    public var kind: Kind
    public var side: Side
    public var isImmediateOrCancel: Bool
    public var amount: Int64
    /// May be used again once its order is dead.
    public var orderID: Int64
    public var price: Int64

    public enum Kind: Int64, Hashable, Sendable {
        case place = 0
        case cancel = 1
        /// Cancels and inserts again at the back of the queue, under the same id.
        case modify = 2
    }

    public init(
        seq: Int64, kind: Kind, side: Side, isImmediateOrCancel: Bool, amount: Int64, orderID: Int64, price: Int64
    ) {
        self.seq = seq
        self.kind = kind
        self.side = side
        self.isImmediateOrCancel = isImmediateOrCancel
        self.amount = amount
        self.orderID = orderID
        self.price = price
    }
}

/// Reads a conformance workload line by line, past its heading.
public struct ConformanceReader: Sendable {
    private var lines: LineReader

    public init(_ bytes: [UInt8]) { lines = LineReader(bytes) }

    /// How many bytes are read, for a progress bar.
    public var bytesRead: Int { lines.bytesRead }

    /// The next message; nil at the end.
    public mutating func next() throws(ReplayError) -> ConformanceMessage? {
        while let line = lines.next() {
            if line.isEmpty { continue }
            if lines.lineNumber == 1, line.elementsEqual("seq,type,side,ioc,qty,order_id,price".utf8) { continue }
            guard let message = Self.message(line) else {
                throw ReplayError(
                    line: lines.lineNumber, bytes: line,
                    problem: "expected seq,type,side,ioc,qty,order_id,price with type 0, 1 or 2, side and ioc 0 or 1")
            }
            return message
        }
        return nil
    }

    private static func message(_ line: ArraySlice<UInt8>) -> ConformanceMessage? {
        var fields = FieldReader(line)
        guard let seq = fields.integer(), let kind = fields.integer().flatMap(ConformanceMessage.Kind.init),
            let side = fields.integer(), let ioc = fields.integer(), 0...1 ~= side, 0...1 ~= ioc,
            let amount = fields.integer(), let orderID = fields.integer(), let price = fields.integer(),
            fields.isFinished
        else { return nil }
        return ConformanceMessage(
            seq: seq, kind: kind, side: side == 0 ? .bid : .ask, isImmediateOrCancel: ioc == 1, amount: amount,
            orderID: orderID, price: price)
    }
}
