import NIOCore
import NIOWebSocket
import OrderBook

@testable import Gateway
@testable import Gossip
@testable import History
@testable import Postgres
@testable import Replay
@testable import Replication
@testable import Store
@testable import Wire
@testable import pgbook

/// Every parser that bytes from outside reach, each as something that takes any bytes and does not end the process.
///
/// `scripts/fuzz` compiles this file for libFuzzer, and the tests play what it found again.
enum FuzzedParser: String, CaseIterable {
    case json
    case clientMessage = "client-message"
    case decimal
    case websocketFrames = "websocket-frames"
    case peerMessage = "peer-message"
    case snapshotFrame = "snapshot-frame"
    case peerFrames = "peer-frames"
    case stateFrames = "state-frames"
    case postgresValues = "postgres-values"
    case csv
    case times
    case candleRequest = "candle-request"
    case stream
    case conformance
    case tokens
    case doors

    func parse(_ bytes: [UInt8]) {
        switch self {
        case .json: _ = try? JSONValue.parse(bytes)
        case .clientMessage: parseClientMessage(bytes)
        case .decimal: parseDecimal(bytes)
        case .websocketFrames: parseWebSocketFrames(bytes)
        case .peerMessage: parsePeerMessage(bytes)
        case .snapshotFrame: parseSnapshotFrame(bytes)
        case .peerFrames: parsePeerFrames(bytes)
        case .stateFrames: parseStateFrames(bytes)
        case .postgresValues: parsePostgresValues(bytes)
        case .csv: parseCSV(bytes)
        case .times: parseTimes(bytes)
        case .candleRequest: parseCandleRequest(bytes)
        case .stream: parseStream(bytes)
        case .conformance: parseConformance(bytes)
        case .tokens: parseTokens(bytes)
        case .doors: parseDoors(bytes)
        }
    }
}

// MARK: Clients

private func parseClientMessage(_ bytes: [UInt8]) {
    _ = try? ClientMessage.parse(bytes)
    _ = try? AddOrderBody.parse(bytes)
    _ = try? DeleteOrderBody.parse(bytes)
}

private let units = [("0.01", "0.00000001"), ("1", "1"), ("999999999999999999", "0.000000000000000001")].compactMap {
    tick, lot in
    (try? ExactDecimal(parsing: tick)).flatMap { tick in
        (try? ExactDecimal(parsing: lot)).flatMap { MarketUnits(tick: tick, lot: $0) }
    }
}

private func parseDecimal(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let numeric = PostgresNumeric(text) { require(PostgresNumeric(numeric.description) == numeric) }
    guard let number = try? ExactDecimal(parsing: text) else { return }
    require((try? ExactDecimal(parsing: number.description)) == number)
    for units in units {
        guard let ticks = try? units.ticks(of: number) else { continue }
        var written: [UInt8] = []
        units.append(ticks, to: &written)
        require(String(decoding: written, as: UTF8.self) == number.description)
        if let lots = try? units.lots(of: number) { units.append(Notional(price: ticks, amount: lots), to: &written) }
    }
}

/// Frames as NIO hands them over: a byte of flags and opcode, a byte of length, the payload.
private func parseWebSocketFrames(_ bytes: [UInt8]) {
    var assembler = MessageAssembler(bytesMax: 200, fragmentsMax: 8)
    var rest = bytes[...]
    while let head = rest.popFirst(), let length = rest.popFirst() {
        let payload = rest.prefix(Int(length))
        rest = rest.dropFirst(payload.count)
        guard let opcode = WebSocketOpcode(encodedWebSocketOpcode: head & 0x0F) else { continue }
        var frame = WebSocketFrame(
            fin: head & 0x80 != 0, opcode: opcode,
            maskKey: head & 0x10 != 0 ? nil : [0, head, length, 1], data: ByteBuffer(bytes: payload))
        frame.rsv1 = head & 0x40 != 0
        switch assembler.frameArrived(frame) {
        case .text(let message):
            require(message.readableBytes <= 200)
            _ = try? ClientMessage.parse(Array(message.readableBytesView))
        case .ping(let payload): _ = FrameBytes.pong(payload)
        case .close(let code, _): _ = FrameBytes.close(code)
        case .pong, .incomplete: break
        }
    }
}

/// A token file; then its first line as a header.
private func parseTokens(_ bytes: [UInt8]) {
    let header = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    if let token = try? BearerToken.find(in: [header]) { require(!token.isEmpty && !token.contains(" ")) }
    guard let tokens = try? Tokens(parsing: bytes, path: "tokens") else { return }
    require(tokens.count >= tokens.shortCount)
}

/// Lines of a request: its target, its `Host`, its `Origin`, the address that was connected to.
private func parseDoors(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
    }
    func line(_ index: Int) -> String? { index < lines.count ? lines[index] : nil }
    let origin = line(2) ?? ""
    let allowed = Doors.fault(ofOrigin: origin) == nil ? [origin] : []
    let name = line(1).flatMap { Doors.fault(ofName: $0) == nil ? $0 : nil }
    let doors = Doors(host: "192.0.2.1", publicNames: name.map { [$0] } ?? [], allowedOrigins: allowed)
    let request = Doors.Request(
        hosts: line(1).map { [$0] } ?? [], origins: line(2).map { [$0] } ?? [], target: line(0) ?? "",
        isCommand: true, localAddress: line(3))
    guard (try? doors.check(request)) != nil else { return }
    // What came in as a command names a server, and came from here or from an origin that was allowed.
    require(line(1)?.isEmpty == false)
}

// MARK: Peers

private func parsePeerMessage(_ bytes: [UInt8]) {
    guard let message = try? Message(decoding: bytes) else { return }
    require(message.encoded == bytes)
    _ = message.fault
}

private func parseSnapshotFrame(_ bytes: [UInt8]) {
    guard let frame = try? SnapshotFrame(decoding: bytes) else { return }
    require(frame.encoded == bytes)
}

private func parsePeerFrames(_ bytes: [UInt8]) {
    var reader = FrameReader(cluster: 0x0101_0101_0101_0101, payloadBytesMax: 1_000)
    var buffer = ByteBuffer()
    // The first byte is the size of the pieces in which the rest comes.
    let size = max(1, Int(bytes.first ?? 1))
    var rest = bytes.dropFirst()
    while !rest.isEmpty {
        buffer.writeBytes(rest.prefix(size))
        rest = rest.dropFirst(size)
        do {
            while let frame = try reader.decode(buffer: &buffer) { require(frame.payload.readableBytes <= 1_000) }
        } catch {
            return
        }
    }
    _ = try? reader.decodeLast(buffer: &buffer, seenEOF: true)
}

private func parseStateFrames(_ bytes: [UInt8]) {
    var pieces = [Array(bytes.prefix(7)), Array(bytes.dropFirst(7))][...]
    var reader = StateFrameReader { pieces.popFirst() }
    while let frame = try? reader.read(), frame.kind != StateFrame.end {
        // Rows of a market that has another number here.
        _ = try? MarketRenumbering([0: 7, 1: 2]).apply(to: frame.bytes, hasHeader: frame.kind % 2 == 0)
    }
}

// MARK: The database

/// A byte that chooses the type, then the value's bytes.
private func parsePostgresValues(_ bytes: [UInt8]) {
    guard let choice = bytes.first else { return }
    bytes.dropFirst().withUnsafeBytes { value in
        func cell(_ type: PostgresType) -> PostgresCell { PostgresCell(type: type, isNull: false, bytes: value) }
        switch choice % 12 {
        case 0:
            guard let numeric = try? PostgresNumeric(decoding: cell(.numeric)) else { return }
            require(PostgresNumeric(numeric.description) == numeric)
            _ = try? Notional(numeric)
        case 1:
            guard let time = try? PostgresTimestamp(decoding: cell(.timestamptz)) else { return }
            _ = time.description
            _ = Timestamp(time).floored(to: Candle.minute).postgres
        case 2: _ = try? String(decoding: cell(.text))
        case 3: _ = try? String(decoding: cell(.jsonb))
        case 4: _ = try? [Int64](decoding: cell(.int8Array))
        case 5: _ = try? [String?](decoding: cell(.textArray))
        case 6: _ = try? [PostgresNumeric?](decoding: cell(.numericArray))
        case 7: _ = try? [PostgresTimestamp](decoding: cell(.timestamptzArray))
        case 8: _ = try? PostgresUUID(decoding: cell(.uuid))
        case 9: _ = try? Int64(decoding: cell(.int8))
        case 10: _ = try? Bool(decoding: cell(.bool))
        default: _ = try? [[UInt8]](decoding: cell(.byteaArray))
        }
    }
}

// MARK: Files and words

private func parseTimes(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let time = timestamp(text) {
        require(time.isWithinBounds)
        require(timestamp(PostgresTimestamp(microsecondsSinceUnixEpoch: time.rawValue).description) == time)
        _ = time.utc
    }
    if let span = spanMicroseconds(text) { require((0...Bounds.spanMax + 1).contains(span)) }
    _ = OrderID(text)
    _ = Bounds.fault(ofUser: text)
}

/// Five words, a line feed between them.
private func parseCandleRequest(_ bytes: [UInt8]) {
    let words = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 4, omittingEmptySubsequences: false).map {
        $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self)
    }
    func word(_ index: Int) -> String? { index < words.count ? words[index] : nil }
    _ = try? CandleRequest(interval: word(0), from: word(1), to: word(2), fill: word(3), limit: word(4))
}

private func parseCSV(_ bytes: [UInt8]) {
    // What begins as gzip does would start a process.
    guard bytes.first != 0x1F else { return }
    withFile(of: bytes) { path in
        guard let table = try? TableReader(path) else { return }
        while let fields = try? table.next() { for field in fields { _ = PostgresNumeric(field) } }
    }
}

/// What a stream says is executed too: its numbers reach the book.
private func parseStream(_ bytes: [UInt8]) {
    var reader = StreamReader(bytes)
    var mapper = StreamMapper(run: 1)
    var book = OrderBook(state: MarketState(), completeness: .complete)
    var time: Int64 = 0
    while let item = try? reader.next() {
        guard case .execute(let command) = mapper.step(for: item) else { continue }
        time += 1
        execute(command.action, id: command.id, time, &book)
    }
}

private func parseConformance(_ bytes: [UInt8]) {
    var reader = ConformanceReader(bytes)
    var mapper = ConformanceMapper(run: 1)
    var book = OrderBook(state: MarketState(), completeness: .complete)
    var time: Int64 = 0
    while let message = try? reader.next() {
        let command = mapper.command(for: message)
        time += 1
        execute(command.action, id: command.id, time, &book)
    }
}

private func execute(_ action: Command.Action, id: OrderID, _ time: Int64, _ book: inout OrderBook) {
    book.execute(Command(id: id, time: Timestamp(time), market: "M", user: UserID("u"), action: action))
    let journal = book.takeJournal()
    _ = try? Candle.candles(of: journal.trades)
    for side in Side.allCases { _ = book.levels(side, depth: 3) }
}

/// What must hold of what was read.
private func require(_ condition: Bool, line: UInt = #line) {
    if !condition { fatalError("line \(line) does not hold") }
}
