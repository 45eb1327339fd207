public import OrderBook

/// What became of one of the client's own orders, or of a command about it.
public struct OrderMessage: ServerMessage, Hashable {
    public var id: OrderID
    public var security: String
    /// The same words as in the database's `orders` view.
    public var status: String
    /// Traded so far.
    public var filled: ExactDecimal
    /// Open in the book now, or still waiting to be executed.
    public var remaining: ExactDecimal
    /// The stable code of a refusal, or why the order left the book.
    public var reason: String?
    public var clientOrderID: String?

    public init(
        id: OrderID, security: String, status: String, filled: ExactDecimal, remaining: ExactDecimal,
        reason: String? = nil, clientOrderID: String? = nil
    ) {
        self.id = id
        self.security = security
        self.status = status
        self.filled = filled
        self.remaining = remaining
        self.reason = reason
        self.clientOrderID = clientOrderID
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("order")
        writer.key("id")
        writer.string(id.description)
        writer.key("security")
        writer.string(security)
        writer.key("status")
        writer.string(status)
        writer.key("filled")
        writer.decimal(filled)
        writer.key("remaining")
        writer.decimal(remaining)
        if let reason {
            writer.key("reason")
            writer.string(reason)
        }
        if let clientOrderID {
            writer.key("clientOrderId")
            writer.string(clientOrderID)
        }
        writer.endObject()
    }
}
