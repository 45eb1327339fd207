public import OrderBook
public import Store

/// What a trade of a file needs, each in a column.
public enum ImportField: String, CaseIterable, Sendable {
    case time, price, amount, side, id

    /// The header's name where none is given: what pgbook itself exports.
    var defaultColumn: String {
        switch self {
        case .side: "taker_side"
        case .id: "trade_id"
        default: rawValue
        }
    }
}

/// Trades of another venue, so that analytics can be run on them. All of a file is stored, or nothing of it: it is
/// staged in a temporary table, checked, and stored by the same transaction.
public struct TradeImport: Sendable {
    public enum TimeUnit: String, CaseIterable, Sendable {
        case iso, s, ms, us, ns

        /// Digits to move the point by, to microseconds.
        var shift: Int {
            switch self {
            case .iso, .us: 0
            case .s: 6
            case .ms: 3
            case .ns: -3
            }
        }
    }

    public var symbol: String
    /// Of a market that is to be made.
    public var tickSize: StoreDecimal?
    public var lotSize: StoreDecimal?
    public var columns: [ImportField: String]
    public var time: TimeUnit
    /// Takes trades whose time has not come.
    public var allowsFuture: Bool
    /// Reads what `TimeUnit.iso` stands for.
    public var readTime: @Sendable (String) -> Timestamp?

    public init(
        symbol: String, tickSize: StoreDecimal?, lotSize: StoreDecimal?, columns: [ImportField: String], time: TimeUnit,
        allowsFuture: Bool = false, readTime: @escaping @Sendable (String) -> Timestamp?
    ) {
        self.symbol = symbol
        self.tickSize = tickSize
        self.lotSize = lotSize
        self.columns = columns
        self.time = time
        self.allowsFuture = allowsFuture
        self.readTime = readTime
    }

    /// Imports a file.
    /// - Parameters:
    ///   - path: plain or by gzip; `-` is standard input.
    ///   - onProgress: called now and then with the bytes read, the bytes there are (0: unknown) and the trades read;
    ///     throwing ends the import.
    /// - Returns: how many trades were stored.
    public func run(
        _ path: String, _ connection: StoreConnection, onProgress: (Int, Int, Int) throws -> Void = { _, _, _ in }
    ) throws -> Int {
        let table = try TableReader(path)
        let places = try places(in: try table.next() ?? [], path)
        return try connection.atomically { connection in
            let market = try open(connection)
            var count: Int64 = 0
            let stored = try connection.stageImport {
                guard let fields = try table.next() else { return nil }
                count += 1
                if count % 4096 == 0 { try onProgress(table.position, table.size, Int(count)) }
                // Both are within the bounds, far from what 64 bits hold.
                return try trade(
                    fields, places, table.line, market.market, numbered: market.lastTrade.rawValue + count, path)
            }
            guard stored > 0 else { throw HistoryError(.refused, "\(path) holds no trades") }
            try check(market, connection, path)
            try connection.storeImport(market.market.number, from: path == "-" ? "standard input" : path)
            return stored
        }
    }

    // MARK: the market

    /// Locks the market, made where it is missing.
    private func open(_ connection: StoreConnection) throws -> ImportMarket {
        if let market = try connection.lockImportMarket(symbol) {
            guard market.isImported else { return try turn(market, connection) }
            try requireSizes(market.market)
            return market
        }
        guard let tickSize, let lotSize else {
            throw HistoryError(
                .usage,
                "there is no market '\(symbol)'; to make it, give --tick and --lot, such as --tick 0.1 --lot 0.00000001"
            )
        }
        try connection.addMarket(NewMarket(name: symbol, tickSize: tickSize, lotSize: lotSize)).get()
        guard let market = try connection.lockImportMarket(symbol) else {
            throw HistoryError(.refused, "market \(symbol) went away while it was made")
        }
        try connection.markImported(market.market.number)
        return market
    }

    /// A market without any command becomes one that holds a history.
    private func turn(_ market: ImportMarket, _ connection: StoreConnection) throws -> ImportMarket {
        try connection.lockInbox()
        guard let again = try connection.lockImportMarket(symbol), !again.hasCommands else {
            throw HistoryError(
                .refused, "market \(symbol) takes orders; import a history into a market of its own, under another name"
            )
        }
        try requireSizes(again.market)
        try connection.markImported(again.market.number)
        return again
    }

    private func requireSizes(_ market: Market) throws {
        func isOther(_ asked: StoreDecimal?, _ size: StoreDecimal) -> Bool {
            asked.map { $0.trimmed != size.trimmed } ?? false
        }
        guard !isOther(tickSize, market.tickSize), !isOther(lotSize, market.lotSize) else {
            throw HistoryError(
                .refused,
                "market \(symbol) has tick \(market.tickSize) and lot \(market.lotSize) already; leave --tick and --lot out"
            )
        }
    }

    private func check(_ market: ImportMarket, _ connection: StoreConnection, _ path: String) throws {
        if let fault = try connection.stagedDuplicate() {
            throw HistoryError(
                .refused,
                "\(path), line \(fault.line): trade \(fault.trade.rawValue) stands in line \(fault.firstLine ?? 0) already; nothing was stored",
                code: .duplicate)
        }
        if let fault = try connection.stagedKnown(market.lastTrade) {
            throw HistoryError(
                .refused,
                "\(path), line \(fault.line): trade \(fault.trade.rawValue) is not above the market's last, "
                    + "\(market.lastTrade.rawValue): it is there already, or belongs before it; nothing was stored",
                code: .duplicate)
        }
        if !allowsFuture, let (fault, time, now) = try connection.stagedFuture() {
            throw HistoryError(
                .refused,
                "\(path), line \(fault.line): trade \(fault.trade.rawValue) is of \(time.utc), and now it is \(now.utc): "
                    + "is \(self.time.rawValue) the right --time? --future takes it all the same; nothing was stored",
                code: .badValue)
        }
        if let fault = try connection.stagedDisorder(market.clock) {
            throw HistoryError(
                .refused,
                "\(path), line \(fault.line): trade \(fault.trade.rawValue) is earlier than the trade before it by id; "
                    + "times may not fall as ids rise; nothing was stored", code: .badValue)
        }
    }

    // MARK: lines

    private func places(in header: [String], _ path: String) throws(HistoryError) -> [ImportField: Int] {
        var places: [ImportField: Int] = [:]
        for field in ImportField.allCases {
            let name = columns[field] ?? field.defaultColumn
            guard let place = header.firstIndex(of: name) else {
                // Without ids trades are numbered in the order of the file.
                if field == .id, columns[.id] == nil { continue }
                throw HistoryError(
                    .usage,
                    "\(path) has no column '\(name)' for \(field.rawValue); its header is \(header.joined(separator: ","));"
                        + " say which with --columns \(field.rawValue)=NAME")
            }
            places[field] = place
        }
        return places
    }

    private func trade(
        _ fields: [String], _ places: [ImportField: Int], _ line: Int, _ market: Market, numbered: Int64, _ path: String
    ) throws(HistoryError) -> ImportedTrade {
        func fault(_ message: String, _ code: OutcomeCode) -> HistoryError {
            HistoryError(.refused, "\(path), line \(line): \(message); nothing was stored", code: code)
        }
        func text(_ field: ImportField) throws(HistoryError) -> String? {
            guard let place = places[field] else { return nil }
            guard place < fields.count else {
                throw fault("\(fields.count) fields, \(field.rawValue) is missing", .badValue)
            }
            return fields[place]
        }
        func decimal(_ field: ImportField) throws(HistoryError) -> StoreDecimal {
            let word = try text(field) ?? ""
            guard let value = StoreDecimal.exact(word) else {
                throw fault("\(field.rawValue) '\(word.prefix(50))' is not a decimal number", .badValue)
            }
            return value
        }
        let (price, amount) = (try decimal(.price), try decimal(.amount))
        guard let ticks = market.ticks(price) else {
            throw fault("price \(price) is not a positive multiple of the tick size \(market.tickSize)", .offTick)
        }
        guard let lots = market.lots(amount) else {
            throw fault("amount \(amount) is not a positive multiple of the lot size \(market.lotSize)", .offLot)
        }
        if let excess = market.excess(ofTrade: lots, at: ticks) { throw fault(excess, .tooLarge) }
        let sideWord = try text(.side) ?? ""
        guard let side = importedSide(sideWord) else {
            throw fault("side '\(sideWord.prefix(50))' is none of buy, sell, b, s, bid, ask", .badValue)
        }
        let timeWord = try text(.time) ?? ""
        guard let time = timestamp(timeWord) else {
            throw fault("time '\(timeWord.prefix(50))' is not a time in \(time.rawValue)", .badValue)
        }
        guard time.isWithinBounds else {
            throw fault(
                "time '\(timeWord.prefix(50))' in \(self.time.rawValue) is outside the years 1 to 9999", .badValue)
        }
        var id = numbered
        if let word = try text(.id) {
            guard let number = Int64(word), number > 0 else {
                throw fault("id '\(word.prefix(50))' is not a positive whole number", .badValue)
            }
            id = number
        }
        guard id <= Bounds.numberMax else {
            throw fault("id \(id) is above \(Bounds.numberMax), where trade ids end", .badValue)
        }
        return ImportedTrade(
            line: line, id: TradeID(id), time: time, price: ticks, amount: lots, takerSide: side)
    }

    /// In microseconds, rounded down.
    private func timestamp(_ word: String) -> Timestamp? {
        guard time != .iso else { return readTime(word) }
        guard let (unscaled, scale) = StoreDecimal.exact(word)?.exactParts else { return nil }
        var value = unscaled
        let shift = time.shift - scale
        for _ in 0..<max(0, shift) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return Timestamp(unscaled < 0 ? .min : .max) }
            value = product
        }
        for _ in 0..<max(0, -shift) { value = (value - (value < 0 ? 9 : 0)) / 10 }
        return Timestamp(Int64(clamping: value))
    }
}

/// The taker's side, in the words that venues use.
private func importedSide(_ word: String) -> Side? {
    switch word.lowercased() {
    case "b", "buy", "bid": .bid
    case "s", "sell", "ask": .ask
    default: nil
    }
}

extension StoreDecimal {
    /// Without zeros at the end.
    fileprivate var trimmed: StoreDecimal {
        var (unscaled, scale) = exactParts
        while scale > 0, unscaled % 10 == 0 {
            unscaled /= 10
            scale -= 1
        }
        return .exact(unscaled: unscaled, scale: scale)
    }
}
