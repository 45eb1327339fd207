public import OrderBook

/// The answer to `cancelOnDisconnect`.
public struct CancelOnDisconnectMessage: ServerMessage, Hashable {
    public var isEnabled: Bool
    public init(isEnabled: Bool) { self.isEnabled = isEnabled }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("cancelOnDisconnect")
        writer.key("enabled")
        writer.bool(isEnabled)
        writer.endObject()
    }
}

/// A `cancelAll` was executed; an `order` message follows for each order it cancelled.
public struct CancelledAllMessage: ServerMessage, Hashable {
    /// The command's id.
    public var id: OrderID
    public var security: String

    public init(id: OrderID, security: String) {
        self.id = id
        self.security = security
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("cancelledAll")
        writer.key("id")
        writer.string(id.description)
        writer.key("security")
        writer.string(security)
        writer.endObject()
    }
}

/// Whether this node is ready. While it is not, what it sends may be older than what other nodes have.
public struct NodeMessage: ServerMessage, Hashable {
    /// Why it is not, in one line.
    public var reason: String?
    public init(notReadyBecause reason: String?) { self.reason = reason }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string("node")
        writer.key("ready")
        writer.bool(reason == nil)
        if let reason {
            writer.key("reason")
            writer.string(reason)
        }
        writer.endObject()
    }
}

/// Whether this node is ready, for whoever asks: the answer of `/ready` as JSON.
public struct ReadinessMessage: ServerMessage, Hashable {
    /// Why it is not, in one line.
    public var reason: String?
    /// What does not keep it from being ready, one line each.
    public var warnings: [String]

    public init(notReadyBecause reason: String?, warnings: [String]) {
        self.reason = reason
        self.warnings = warnings
    }

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("ready")
        writer.bool(reason == nil)
        if let reason {
            writer.key("reason")
            writer.string(reason)
        }
        writer.key("warnings")
        writer.beginArray()
        for warning in warnings { writer.string(warning) }
        writer.endArray()
        writer.endObject()
    }
}
