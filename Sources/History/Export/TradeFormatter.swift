import Store

/// The columns of exported trades.
public enum TradeColumn: String, CaseIterable, Sendable {
    case tradeID = "trade_id"
    case time
    case symbol
    case price
    case amount
    case quoteAmount = "quote_amount"
    case takerSide = "taker_side"
    case makerOrderID = "maker_order_id"
    case takerOrderID = "taker_order_id"
}

/// How rows follow each other.
public enum RowShape: Sendable {
    /// Comma-separated, one line each.
    case csv
    /// An array of objects.
    case json
    /// An object per line.
    case ndjson

    var isJSON: Bool { self != .csv }
}

/// Turns the rows of a binary COPY of trades into text, block by block.
///
/// A row's layout is known, so each column is read from a fixed place: after the number of columns come, each behind its
/// length, time, trade_id, price, amount (8 bytes), taker_side (2), maker_order and taker_order (16, or none).
struct TradeFormatter: ~Copyable {
    private let shape: RowShape
    private let isCSV: Bool
    private let columns: [TradeColumn]
    /// What stands before each column's value in JSON: its name.
    private let leads: [[UInt8]]
    private let isTimeQuoted: Bool
    private let header: [UInt8]
    private var time: TimeWriter
    private let split: ExportTarget.Split?
    private var files: ExportFiles

    private var market = MarketUnits()
    private var isFirstBlock = true
    /// Rows of the current file come before `periodEnd` and not before `periodStart`; microseconds since the Unix epoch.
    private var period: (start: Int64, end: Int64)?
    private var buffer = [UInt8](repeating: 0, count: ExportLimits.bufferBytes)
    private var filled = 0
    private var unnoted = (rows: 0, first: Int64?.none, last: Int64?.none)
    private(set) var rows = 0
    private var rowsInFile = 0
    private let bid = ShortText("bid")
    private let ask = ShortText("ask")

    private struct MarketUnits {
        var symbol = ShortText("")
        var tick: UInt128 = 1
        var lot: UInt128 = 1
        /// The same, where they fit.
        var smallTick: UInt64?
        var smallLot: UInt64?
        var priceScale = 0
        var amountScale = 0
    }

    private static let postgresEpoch: Int64 = 946_684_800_000_000
    private static let columnCount: Int16 = 7
    /// Bytes up to the maker's order.
    private static let fixedBytes = 2 + 4 * 12 + 6

    init(_ columns: [TradeColumn], shape: RowShape, time: TimeStyle, target: ExportTarget) {
        self.shape = shape
        self.time = TimeWriter(time, hasMicroseconds: true)
        split = target.split
        files = ExportFiles(target)
        self.columns = columns
        isCSV = shape == .csv
        isTimeQuoted = shape.isJSON && !time.isNumber
        leads = columns.enumerated().map { Array((($0 == 0 ? "{" : ",") + "\"\($1.rawValue)\":").utf8) }
        header =
            switch shape {
            case .csv: Array((columns.map(\.rawValue).joined(separator: ",") + "\n").utf8)
            case .json: Array("[".utf8)
            case .ndjson: []
            }
    }

    /// What follows are a market's trades.
    mutating func begin(_ history: MarketHistory) {
        let (tick, lot) = (history.tickSize.exactParts, history.lotSize.exactParts)
        market = MarketUnits(
            symbol: ShortText(history.symbol), tick: tick.unscaled.magnitude, lot: lot.unscaled.magnitude,
            smallTick: UInt64(exactly: tick.unscaled), smallLot: UInt64(exactly: lot.unscaled),
            priceScale: tick.scale, amountScale: lot.scale)
        isFirstBlock = true
    }

    /// Ends the last file and gives all files their names.
    mutating func finish() throws -> [ExportedFile] {
        if !files.hasOpenFile, split == nil { try openFile(at: 0) }
        try closeFile()
        try files.commit()
        return files.finished
    }

    mutating func discard() { files.discard() }

    // MARK: rows

    mutating func format(_ block: [UInt8]) throws {
        let row = block.span.bytes
        var place = 0
        if isFirstBlock {
            place = try copyHeaderLength(row)
            isFirstBlock = false
        }
        while place < row.byteCount {
            guard place + 2 <= row.byteCount else { throw malformed() }
            let count = bigEndian16(row, place)
            // The end of the COPY.
            if count == -1 { return }
            guard count == Self.columnCount, place + Self.fixedBytes + 8 <= row.byteCount else { throw malformed() }
            let maker = place + Self.fixedBytes
            let makerBytes = try uuidLength(row, maker)
            let taker = maker + 4 + makerBytes
            guard taker + 4 <= row.byteCount else { throw malformed() }
            let takerBytes = try uuidLength(row, taker)
            let time = bigEndian64(row, place + 6) &+ Self.postgresEpoch
            try makeRoom(at: time)
            try append(
                row, place, time, maker: makerBytes == 0 ? nil : maker + 4, taker: takerBytes == 0 ? nil : taker + 4)
            place = taker + 4 + takerBytes
        }
    }

    private func copyHeaderLength(_ row: RawSpan) throws -> Int {
        // Eleven bytes of signature, flags, and the length of an extension.
        guard row.byteCount >= 19 else { throw malformed() }
        return 19 + Int(bigEndian32(row, 15))
    }

    private func uuidLength(_ row: RawSpan, _ place: Int) throws -> Int {
        let length = bigEndian32(row, place)
        if length == .max { return 0 }
        guard length == 16, place + 20 <= row.byteCount else { throw malformed() }
        return 16
    }

    private func malformed() -> HistoryError {
        HistoryError(.refused, "the server's COPY is not the one asked for")
    }

    private mutating func append(
        _ row: RawSpan, _ place: Int, _ time: Int64, maker: Int?, taker: Int?
    ) throws {
        let id = bigEndian64(row, place + 18)
        let price = UInt64(bitPattern: bigEndian64(row, place + 30))
        let amount = UInt64(bitPattern: bigEndian64(row, place + 42))
        let isAsk = bigEndian16(row, place + 54) != 0
        var at = filled
        // Apart from `self`, whose other parts are read meanwhile.
        var buffer: [UInt8] = []
        swap(&buffer, &self.buffer)
        do {
            var span = buffer.mutableSpan
            var out = span.mutableBytes
            if shape == .json {
                if rowsInFile > 0 { put(UInt8(ascii: ","), &out, &at) }
                put(UInt8(ascii: "\n"), &out, &at)
            }
            for index in columns.indices {
                if !isCSV {
                    put(leads[index], &out, &at)
                } else if index > 0 {
                    put(UInt8(ascii: ","), &out, &at)
                }
                switch columns[index] {
                case .tradeID: putNumber(id, &out, &at)
                case .time:
                    if isTimeQuoted { put(UInt8(ascii: "\""), &out, &at) }
                    self.time.put(time, &out, &at)
                    if isTimeQuoted { put(UInt8(ascii: "\""), &out, &at) }
                case .symbol: putText(market.symbol, &out, &at)
                case .price: putProduct(price, 1, market.smallTick, market.tick, 1, market.priceScale, &out, &at)
                case .amount: putProduct(amount, 1, market.smallLot, market.lot, 1, market.amountScale, &out, &at)
                case .quoteAmount:
                    let unit = market.smallTick.flatMap { tick in
                        market.smallLot.flatMap { lot in
                            let (product, overflow) = tick.multipliedReportingOverflow(by: lot)
                            return overflow ? nil : product
                        }
                    }
                    putProduct(
                        price, amount, unit, market.tick, market.lot, market.priceScale + market.amountScale, &out, &at)
                case .takerSide: putText(isAsk ? ask : bid, &out, &at)
                case .makerOrderID: putID(row, maker, &out, &at)
                case .takerOrderID: putID(row, taker, &out, &at)
                }
            }
            if !isCSV { put(UInt8(ascii: "}"), &out, &at) }
            if shape != .json { put(UInt8(ascii: "\n"), &out, &at) }
        }
        swap(&buffer, &self.buffer)
        filled = at
        rowsInFile += 1
        rows += 1
        unnoted.rows += 1
        if unnoted.first == nil { unnoted.first = id }
        unnoted.last = id
    }

    @inline(__always)
    private func putText(_ text: ShortText, _ out: inout MutableRawSpan, _ at: inout Int) {
        if !isCSV { put(UInt8(ascii: "\""), &out, &at) }
        text.put(&out, &at)
        if !isCSV { put(UInt8(ascii: "\""), &out, &at) }
    }

    @inline(__always)
    private func putID(_ row: RawSpan, _ place: Int?, _ out: inout MutableRawSpan, _ at: inout Int) {
        guard let place else {
            if !isCSV { for byte in "null".utf8 { put(byte, &out, &at) } }
            return
        }
        if !isCSV { put(UInt8(ascii: "\""), &out, &at) }
        putUUID(row, from: place, &out, &at)
        if !isCSV { put(UInt8(ascii: "\""), &out, &at) }
    }

    /// `a` × `b` units: in 64 bits where that is enough, which is nearly always.
    @inline(__always)
    private func putProduct(
        _ a: UInt64, _ b: UInt64, _ unit: UInt64?, _ firstUnit: UInt128, _ secondUnit: UInt128, _ scale: Int,
        _ out: inout MutableRawSpan, _ at: inout Int
    ) {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        if !overflow, let unit {
            let (value, overflow) = product.multipliedReportingOverflow(by: unit)
            if !overflow { return putDecimal(value, scale: scale, &out, &at) }
        }
        putDecimal(product: [UInt128(a), UInt128(b), firstUnit, secondUnit], scale: scale, &out, &at)
    }

    // MARK: files

    @inline(__always)
    private mutating func makeRoom(at time: Int64) throws {
        if let period, time >= period.start, time < period.end {
            if filled + ExportLimits.rowBytesMax > buffer.count { try flush() }
            return
        }
        try openFile(at: time)
    }

    private mutating func openFile(at time: Int64) throws {
        try closeFile()
        let period = split?.period(of: time) ?? (Int64.min, Int64.max)
        self.period = period
        try files.open(period: period.0)
        rowsInFile = 0
        append(header)
    }

    private mutating func closeFile() throws {
        guard files.hasOpenFile else { return }
        if shape == .json { append(Array("\n]\n".utf8)) }
        try flush()
        try files.close()
    }

    private mutating func append(_ bytes: [UInt8]) {
        var at = filled
        do {
            var span = buffer.mutableSpan
            var out = span.mutableBytes
            put(bytes, &out, &at)
        }
        filled = at
    }

    private mutating func flush() throws {
        try files.write(buffer, count: filled)
        files.note(rows: unnoted.rows, first: unnoted.first, last: unnoted.last)
        unnoted = (0, nil, nil)
        filled = 0
    }
}

/// Up to 32 bytes without a heap object behind them: a symbol stands in every row.
private struct ShortText {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var count: Int

    init(_ text: String) {
        let bytes = Array(text.utf8)
        precondition(bytes.count <= 32, "'\(text)' has more than 32 bytes")
        count = bytes.count
        let padded = bytes + [UInt8](repeating: 0, count: 32 - bytes.count)
        let span = padded.span.bytes
        words.0 = span.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
        words.1 = span.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
        words.2 = span.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self)
        words.3 = span.unsafeLoadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    /// Writes all 32 bytes; what is too much is written over by what follows.
    @inline(__always)
    func put(_ out: inout MutableRawSpan, _ at: inout Int) {
        out.storeBytes(of: words.0, toByteOffset: at, as: UInt64.self)
        if count > 8 {
            out.storeBytes(of: words.1, toByteOffset: at &+ 8, as: UInt64.self)
            out.storeBytes(of: words.2, toByteOffset: at &+ 16, as: UInt64.self)
            out.storeBytes(of: words.3, toByteOffset: at &+ 24, as: UInt64.self)
        }
        at &+= count
    }
}
