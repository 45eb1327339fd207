extension Command {
    /// The canonical form of the whole command: JSON with its keys sorted, without spaces, in ASCII. Commands of one
    /// timestamp are executed in the order of these bytes, on every node.
    ///
    /// Absent fields are absent, `post_only` appears only when set, numbers are integers (ticks, lots, microseconds). It is
    /// what Python's `json.dumps(…, sort_keys=True, separators=(",", ":"))` gives. The field `kind` is one of place,
    /// amend, reduce, replace, cancel, cancel_all, halt, resume, expire.
    public var canonicalBytes: [UInt8] {
        var form = CanonicalForm()
        let action = action.canonicalFields
        form.field("amount", action.amount)
        form.field("by", action.by)
        form.field("client_order_id", clientOrderID)
        form.field("expires", action.expires)
        form.field("id", id.description)
        form.field("kind", action.kind)
        form.field("market", market)
        form.field("open", action.open)
        form.field("origin", origin)
        form.field("owner", action.owner)
        form.field("post_only", action.postOnly)
        form.field("price", action.price)
        form.field("self_trade_prevention", action.selfTradePrevention)
        form.field("side", action.side)
        form.field("target", action.target)
        form.field("time", time.rawValue)
        form.field("time_in_force", action.timeInForce)
        form.field("user", user.rawValue)
        return form.finish()
    }

    /// The order of execution of two commands that are due: by time, and at one time by their canonical bytes.
    public static func executesBefore(_ a: Command, _ b: Command) -> Bool {
        if a.time != b.time { return a.time < b.time }
        return a.canonicalBytes.lexicographicallyPrecedes(b.canonicalBytes)
    }
}

/// The fields of all kinds of commands; each kind uses some.
private struct CanonicalFields {
    var kind: String
    var amount: Int64?
    var by: Int64?
    var expires: Int64?
    var open: Int64?
    var owner: String?
    var postOnly: Bool?
    var price: Int64?
    var selfTradePrevention: String?
    var side: String?
    var target: String?
    var timeInForce: String?
}

extension Command.Action {
    fileprivate var canonicalFields: CanonicalFields {
        switch self {
        case .place(let place):
            var fields = CanonicalFields(
                kind: "place", amount: place.amount.rawValue, postOnly: place.postOnly ? true : nil,
                price: place.price?.rawValue, selfTradePrevention: place.selfTradePrevention?.name,
                side: place.side.name, timeInForce: place.timeInForce.name)
            if case .gtd(let expires) = place.timeInForce { fields.expires = expires.rawValue }
            return fields
        case .amend(let amend):
            let target = amend.target.description
            switch amend.change {
            case .to(let amount, let price):
                return CanonicalFields(
                    kind: "amend", amount: amount?.rawValue, price: price?.rawValue, target: target)
            case .reduce(let by):
                return CanonicalFields(kind: "reduce", by: by.rawValue, target: target)
            case .replace(let open, let price):
                return CanonicalFields(kind: "replace", open: open.rawValue, price: price.rawValue, target: target)
            }
        case .cancel(let target):
            return CanonicalFields(kind: "cancel", target: target.description)
        case .cancelAll(let selection):
            return CanonicalFields(
                kind: "cancel_all", owner: selection.owner?.rawValue, side: selection.side?.name)
        case .halt: return CanonicalFields(kind: "halt")
        case .resume: return CanonicalFields(kind: "resume")
        case .expire: return CanonicalFields(kind: "expire")
        }
    }
}

extension Side {
    /// `bid` or `ask`.
    public var name: String { self == .bid ? "bid" : "ask" }
}

extension TimeInForce {
    /// `gtc`, `ioc`, `fok` or `gtd`.
    public var name: String {
        switch self {
        case .gtc: "gtc"
        case .ioc: "ioc"
        case .fok: "fok"
        case .gtd: "gtd"
        }
    }
}

extension SelfTradePrevention {
    /// `dc`, `co`, `cn` or `cb`.
    public var name: String {
        switch self {
        case .decrementAndCancel: "dc"
        case .cancelOldest: "co"
        case .cancelNewest: "cn"
        case .cancelBoth: "cb"
        }
    }
}

/// Writes one flat JSON object. The caller gives the fields in the order of their keys.
private struct CanonicalForm {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    mutating func field(_ key: StaticString, _ value: Int64?) {
        guard let value else { return }
        name(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func field(_ key: StaticString, _ value: Bool?) {
        guard let value else { return }
        name(key)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    mutating func field(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        name(key)
        bytes.append(UInt8(ascii: "\""))
        for scalar in value.unicodeScalars { append(scalar) }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func name(_ key: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: "\"\(key)\":".utf8)
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": bytes.append(contentsOf: "\\\"".utf8)
        case "\\": bytes.append(contentsOf: "\\\\".utf8)
        case "\u{8}": bytes.append(contentsOf: "\\b".utf8)
        case "\u{c}": bytes.append(contentsOf: "\\f".utf8)
        case "\n": bytes.append(contentsOf: "\\n".utf8)
        case "\r": bytes.append(contentsOf: "\\r".utf8)
        case "\t": bytes.append(contentsOf: "\\t".utf8)
        case " "..."\u{7f}": bytes.append(UInt8(scalar.value))
        default: for unit in UTF16.encode(scalar)! { escape(unit) }
        }
    }

    private mutating func escape(_ unit: UInt16) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> UInt16(shift)) & 15
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
