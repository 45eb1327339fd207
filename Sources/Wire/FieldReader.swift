import OrderBook

/// Takes typed fields out of a JSON object, with an error that names the field for each way that can fail.
struct FieldReader {
    private let members: [JSONValue.Member]
    private let limits: WireLimits

    init(_ value: JSONValue, limits: WireLimits) throws(WireError) {
        guard case .object(let members) = value else {
            throw WireError(.badJSON, "the message is \(value.kind); it must be an object")
        }
        self.members = members
        self.limits = limits
    }

    /// - Throws: `unknown_field` for the first that is not among these.
    func allow(_ names: String...) throws(WireError) { try allow(names) }

    func allow(_ names: [String]) throws(WireError) {
        for member in members where !names.contains(member.key) {
            throw WireError(
                .unknownField, "field \(quoted(member.key)) is not known; known are \(names.joined(separator: ", "))",
                field: String(member.key.prefix(limits.nameBytesMax)))
        }
    }

    /// `null` counts as absent.
    private func value(_ name: String) -> JSONValue? {
        guard let value = members.first(where: { $0.key == name })?.value, value != .null else { return nil }
        return value
    }

    private func required<Value>(_ name: String, _ value: Value?) throws(WireError) -> Value {
        guard let value else { throw WireError(.missingField, "field \(name) is missing", field: name) }
        return value
    }

    func optionalString(_ name: String) throws(WireError) -> String? {
        switch value(name) {
        case nil: return nil
        case .string(let text): return text
        case .some(let other): throw WireError(.badValue, "\(name) is \(other.kind); it must be a string", field: name)
        }
    }

    func string(_ name: String) throws(WireError) -> String { try required(name, optionalString(name)) }

    /// Text that goes to the database as it is: bounded, not empty, without control characters.
    func optionalText(_ name: String, bytesMax: Int) throws(WireError) -> String? {
        guard let text = try optionalString(name) else { return nil }
        guard !text.isEmpty else { throw WireError(.badValue, "\(name) is empty", field: name) }
        guard text.utf8.count <= bytesMax else {
            throw WireError(
                .badValue, "\(name) has \(text.utf8.count) bytes; at most \(bytesMax) are allowed", field: name)
        }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw WireError(.badValue, "\(name) has a control character", field: name)
        }
        return text
    }

    func text(_ name: String, bytesMax: Int) throws(WireError) -> String {
        try required(name, optionalText(name, bytesMax: bytesMax))
    }

    func optionalName(_ name: String) throws(WireError) -> String? {
        try optionalText(name, bytesMax: limits.nameBytesMax)
    }

    /// Whom something is for.
    func optionalUser(_ name: String) throws(WireError) -> UserID? {
        guard let text = try optionalString(name) else { return nil }
        if let fault = Bounds.fault(ofUser: text) { throw WireError(.badValue, "\(name): \(fault)", field: name) }
        return UserID(text)
    }

    func name(_ name: String) throws(WireError) -> String { try required(name, optionalName(name)) }

    /// A list of names; the same name twice counts once.
    func names(_ name: String) throws(WireError) -> [String] {
        guard case .array(let elements) = try required(name, value(name)) else {
            throw WireError(.badValue, "\(name) must be an array of strings", field: name)
        }
        guard elements.count <= limits.securitiesMax else {
            throw WireError(
                .badValue, "\(name) has \(elements.count) entries; at most \(limits.securitiesMax) are allowed",
                field: name)
        }
        var names: [String] = []
        for element in elements {
            let one = try FieldReader(.object([.init(key: name, value: element)]), limits: limits).name(name)
            if !names.contains(one) { names.append(one) }
        }
        return names
    }

    func optionalBool(_ name: String) throws(WireError) -> Bool? {
        switch value(name) {
        case nil: return nil
        case .bool(let flag): return flag
        case .some(let other):
            throw WireError(.badValue, "\(name) is \(other.kind); it must be true or false", field: name)
        }
    }

    /// One of an enum's words.
    func optionalWord<Word: RawRepresentable<String> & CaseIterable>(_ name: String) throws(WireError) -> Word? {
        guard let text = try optionalString(name) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw notOneOf(Word.allCases.map(\.rawValue), text, name)
        }
        return word
    }

    func optionalSide(_ name: String) throws(WireError) -> Side? {
        guard let text = try optionalString(name) else { return nil }
        guard let side = Side(name: text) else { throw notOneOf(Side.allCases.map(\.name), text, name) }
        return side
    }

    func side(_ name: String) throws(WireError) -> Side { try required(name, optionalSide(name)) }

    func optionalSelfTradePrevention(_ name: String) throws(WireError) -> SelfTradePrevention? {
        guard let text = try optionalString(name) else { return nil }
        guard let found = SelfTradePrevention(name: text) else {
            throw notOneOf(SelfTradePrevention.allCases.map(\.name), text, name)
        }
        return found
    }

    private func notOneOf(_ words: [String], _ text: String, _ name: String) -> WireError {
        WireError(
            .badValue, "\(name) \(quoted(text)) is not one of \(words.joined(separator: ", "))", field: name)
    }

    func orderID(_ name: String) throws(WireError) -> OrderID {
        let text = try string(name)
        guard let id = OrderID(text) else {
            throw WireError(.badID, "\(name) \(quoted(text)) is not a UUID", field: name)
        }
        return id
    }

    /// A number, or a string that holds one.
    /// - Parameter beyondScale: what to call a number with more decimals than any tick or lot has.
    func optionalDecimal(_ name: String, beyondScale: OutcomeCode) throws(WireError) -> ExactDecimal? {
        let text: String
        switch value(name) {
        case nil: return nil
        case .number(let digits), .string(let digits): text = digits
        case .some(let other): throw WireError(.badValue, "\(name) is \(other.kind); it must be a number", field: name)
        }
        do {
            return try ExactDecimal(parsing: text)
        } catch {
            throw switch error {
            case .notANumber: WireError(.badValue, "\(name) \(quoted(text)) is not a number", field: name)
            case .tooLarge:
                WireError(.init(.tooLarge), "\(name) \(quoted(text)) is more than can be stored", field: name)
            case .tooPrecise:
                WireError(.init(beyondScale), "\(name) \(quoted(text)) has too many decimals", field: name)
            }
        }
    }

    func decimal(_ name: String, beyondScale: OutcomeCode) throws(WireError) -> ExactDecimal {
        try required(name, optionalDecimal(name, beyondScale: beyondScale))
    }

    /// Whole Unix milliseconds.
    func optionalMilliseconds(_ name: String) throws(WireError) -> Timestamp? {
        guard let number = try optionalDecimal(name, beyondScale: .notPositive) else { return nil }
        guard number.scale == 0, number.unscaled > 0 else {
            throw WireError(.badValue, "\(name) \(number) is not a time in whole Unix milliseconds", field: name)
        }
        guard number.unscaled <= Int128(Bounds.times.upperBound.rawValue / 1000) else {
            throw WireError(.badValue, "\(name) \(number) is beyond the year 9999, where times end", field: name)
        }
        return Timestamp(Int64(number.unscaled) * 1000)
    }
}

/// A value at fault, short enough for one line.
func quoted(_ text: String) -> String {
    let shownMax = 40
    let shown = text.unicodeScalars.prefix(shownMax).map { $0.value < 0x20 ? "?" : String($0) }.joined()
    return "\"\(shown)\(text.unicodeScalars.count > shownMax ? "…" : "")\""
}
