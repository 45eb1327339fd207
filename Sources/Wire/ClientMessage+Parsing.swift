public import OrderBook

extension ClientMessage {
    /// Reads one message of the WebSocket.
    /// - Throws: an error that names what is wrong and, where there is one, the field.
    public static func parse(
        _ bytes: [UInt8], limits: WireLimits = WireLimits()
    ) throws(WireError) -> ClientMessage {
        let fields = try FieldReader(JSONValue.parse(bytes, limits: limits), limits: limits)
        let type = try fields.string("type")
        switch type {
        case "add": return .add(try AddOrder(fields))
        case "amend": return .amend(try AmendOrder(fields))
        case "delete":
            try fields.allow("type", "id")
            return .delete(try fields.orderID("id"))
        case "cancelAll":
            try fields.allow("type", "security", "side")
            return .cancelAll(.init(security: try fields.name("security"), side: try fields.optionalSide("side")))
        case "subscribe":
            try fields.allow("type", "securities")
            return .subscribe(securities: try fields.names("securities"))
        case "auth":
            try fields.allow("type", "token")
            return .auth(token: try fields.text("token", bytesMax: limits.tokenBytesMax))
        case "cancelOnDisconnect":
            try fields.allow("type", "enabled")
            return .cancelOnDisconnect(try fields.optionalBool("enabled") ?? true)
        default:
            throw WireError(
                .unknownType,
                "type \(quoted(type)) is not one of add, amend, delete, cancelAll, subscribe, auth, cancelOnDisconnect",
                field: "type")
        }
    }
}

/// The body of `POST /orders`: an `add` with the user it is for; `type` may be left out.
public struct AddOrderBody: Hashable, Sendable {
    public var order: AddOrder
    /// Nil leaves it to the caller's token.
    public var userID: UserID?

    public static func parse(_ bytes: [UInt8], limits: WireLimits = WireLimits()) throws(WireError) -> AddOrderBody {
        let fields = try FieldReader(JSONValue.parse(bytes, limits: limits), limits: limits)
        if let type = try fields.optionalString("type"), type != "add" {
            throw WireError(.unknownType, "type \(quoted(type)) is not add", field: "type")
        }
        let order = try AddOrder(fields, alsoAllowed: "userId")
        return AddOrderBody(order: order, userID: try fields.optionalUser("userId"))
    }
}

/// The body of `DELETE /orders`: which order, and whose it is.
public struct DeleteOrderBody: Hashable, Sendable {
    public var id: OrderID
    /// Nil leaves it to the caller's token.
    public var userID: UserID?

    public init(id: OrderID, userID: UserID?) {
        self.id = id
        self.userID = userID
    }

    public static func parse(_ bytes: [UInt8], limits: WireLimits = WireLimits()) throws(WireError) -> DeleteOrderBody {
        let fields = try FieldReader(JSONValue.parse(bytes, limits: limits), limits: limits)
        try fields.allow("type", "id", "userId")
        if let type = try fields.optionalString("type"), type != "delete" {
            throw WireError(.unknownType, "type \(quoted(type)) is not delete", field: "type")
        }
        return DeleteOrderBody(
            id: try fields.orderID("id"), userID: try fields.optionalUser("userId"))
    }
}

extension AddOrder {
    init(_ fields: borrowing FieldReader, alsoAllowed: String...) throws(WireError) {
        try fields.allow(
            [
                "type", "security", "side", "execType", "amount", "price", "timeInForce", "expires", "postOnly",
                "selfTradePrevention", "clientOrderId",
            ] + alsoAllowed)
        let price = try fields.optionalDecimal("price", beyondScale: .offTick)
        self.init(
            security: try fields.name("security"), side: try fields.side("side"),
            execType: try fields.optionalWord("execType") ?? (price == nil ? .market : .limit),
            amount: try fields.decimal("amount", beyondScale: .offLot), price: price,
            timeInForce: try fields.optionalWord("timeInForce"), expires: try fields.optionalMilliseconds("expires"),
            postOnly: try fields.optionalBool("postOnly") ?? false,
            selfTradePrevention: try fields.optionalSelfTradePrevention("selfTradePrevention"),
            clientOrderID: try fields.optionalName("clientOrderId"))
        try checkCombination()
    }

    /// Options that contradict each other are refused: none is ignored.
    private func checkCombination() throws(WireError) {
        switch execType {
        case .market:
            if price != nil { throw WireError(.badValue, "a market order has no price", field: "price") }
            if postOnly { throw WireError(.badValue, "a market order cannot be post-only", field: "postOnly") }
            if timeInForce == .gtd {
                throw WireError(.badValue, "a market order cannot wait: use gtc, ioc or fok", field: "timeInForce")
            }
        case .limit:
            if price == nil { throw WireError(.missingField, "a limit order needs a price", field: "price") }
            if postOnly, timeInForce == .ioc || timeInForce == .fok {
                throw WireError(.badValue, "a post-only order must rest: gtc or gtd", field: "postOnly")
            }
        }
        if timeInForce == .gtd, expires == nil {
            throw WireError(.missingField, "a gtd order needs expires, in Unix milliseconds", field: "expires")
        }
        if timeInForce != .gtd, expires != nil {
            throw WireError(.badValue, "only a gtd order expires", field: "expires")
        }
    }
}

extension AmendOrder {
    init(_ fields: borrowing FieldReader) throws(WireError) {
        try fields.allow("type", "id", "amount", "price")
        self.init(
            id: try fields.orderID("id"), amount: try fields.optionalDecimal("amount", beyondScale: .offLot),
            price: try fields.optionalDecimal("price", beyondScale: .offTick))
        if amount == nil, price == nil {
            throw WireError(.missingField, "an amend needs a new amount, a new price, or both", field: "amount")
        }
    }
}
