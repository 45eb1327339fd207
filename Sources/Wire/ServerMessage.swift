public import OrderBook

/// What the server sends: a message knows how to write itself.
public protocol ServerMessage: Sendable {
    func write(to writer: inout JSONWriter)
}

extension ServerMessage {
    /// The message as UTF-8 JSON.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

/// The first message on every socket.
public struct WelcomeMessage: ServerMessage, Hashable {
    /// Whose orders this socket places.
    public var userID: UserID
    public init(userID: UserID) { self.userID = userID }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("welcome")
        writer.key("userId")
        writer.string(userID.rawValue)
        writer.endObject()
    }
}

/// The answer to `subscribe`.
public struct SubscribedMessage: ServerMessage, Hashable {
    public var securities: [String]
    public init(securities: [String]) { self.securities = securities }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("subscribed")
        writer.key("securities")
        writer.beginArray()
        for security in securities { writer.string(security) }
        writer.endArray()
        writer.endObject()
    }
}

/// Why a message was not carried out. What the client sent to tell its messages apart is given back.
public struct ErrorMessage: ServerMessage, Hashable {
    public var error: WireError
    /// The order that the message was about.
    public var id: OrderID?
    public var clientOrderID: String?

    public init(_ error: WireError, id: OrderID? = nil, clientOrderID: String? = nil) {
        self.error = error
        self.id = id
        self.clientOrderID = clientOrderID
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("error")
        writer.key("code")
        writer.string(error.code.rawValue)
        writer.key("message")
        writer.string(error.message)
        if let field = error.field {
            writer.key("field")
            writer.string(field)
        }
        if let id {
            writer.key("id")
            writer.string(id.description)
        }
        if let clientOrderID {
            writer.key("clientOrderId")
            writer.string(clientOrderID)
        }
        writer.endObject()
    }
}
