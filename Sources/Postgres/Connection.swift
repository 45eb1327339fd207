internal import CLibPQ

/// One connection to PostgreSQL: blocking calls over libpq, for the one thread that owns it.
///
/// Not Sendable on purpose. Asynchronous code goes through `Session`, which keeps a connection on a thread of its own;
/// a test or a tool may use it directly:
///
///     let connection = try Connection(ConnectionConfiguration("host=/run/postgresql"))
///     let rows = try connection.execute("SELECT $1 + 1", Int64(41))
///     let answer = try rows[0].decode(Int64.self, at: 0)
public final class Connection {
    let handle: OpaquePointer
    var parameters = ParameterList()
    var statements = StatementCache()
    var recordTypes: [String: RecordType] = [:]
    /// A pipeline whose answers have not been taken yet, and whether it began outside a transaction.
    var startedPipeline: Pipeline?
    var pipelineBeganIdle = true
    /// One transaction is the whole connection; see `holdTransaction`.
    public private(set) var isHeld = false
    /// Stops a running statement or a wait, from any thread.
    public let interrupt: Interrupt
    private let notices: NoticeReceiver?

    /// Connects, trying each host in turn.
    /// - Throws: kind `connectFailed`.
    public convenience init(_ configuration: ConnectionConfiguration) throws(PostgresError) {
        try self.init(configuration, interrupt: Interrupt())
    }

    init(_ configuration: ConnectionConfiguration, interrupt: Interrupt) throws(PostgresError) {
        if let fault = configuration.connectionString.flatMap({ ConnectionString.fault(of: $0) }) {
            throw PostgresError(.connectFailed, fault)
        }
        let keywords = configuration.keywords
        guard let handle = connect(keywords.map(\.name), keywords.map(\.value)) else {
            throw PostgresError(.connectFailed, "out of memory")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            throw PostgresError.connectFailed(handle)
        }
        if let unfit = PostgresError.unfitEncoding(handle) {
            PQfinish(handle)
            throw unfit
        }
        self.handle = handle
        self.interrupt = interrupt
        notices = NoticeReceiver(configuration.onNotice)
        PQsetNoticeProcessor(
            handle, { context, message in NoticeReceiver.receive(context, message) },
            notices.map { Unmanaged.passUnretained($0).toOpaque() })
        interrupt.attach(PQgetCancel(handle))
        try apply(configuration.settings)
        try configuration.onConnect?(self)
    }

    deinit {
        if isHeld, !isLost { PQclear(PQexec(handle, "ROLLBACK")) }
        interrupt.detach()
        PQfinish(handle)
    }

    private func apply(_ settings: [String: String]) throws(PostgresError) {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            do {
                try execute("SELECT set_config($1, $2, false)", name, value)
            } catch {
                throw PostgresError(
                    .connectFailed, "setting \(name)=\(value): \(error.message)", sqlState: error.sqlState)
            }
        }
    }

    /// Makes one transaction of everything that is still to come on this connection, for a server session that is shared
    /// with others: what is set for the transaction and what is prepared without a name ends with it. `transaction` runs
    /// its body in it then, and nothing is committed.
    public func holdTransaction(_ mode: String) throws(PostgresError) {
        try command("BEGIN \(mode)")
        isHeld = true
    }

    /// Whether the connection ended; it stays ended.
    public var isLost: Bool { PQstatus(handle) != CONNECTION_OK }

    /// Whether the server closed the connection while nothing was going on. Costs one system call, no round trip.
    public func hasEndedWhileIdle() -> Bool {
        // The farewell and the end of the stream come as two reads.
        for _ in 0..<3 where !isLost && waitForSocket(forWriting: false, timeoutMilliseconds: 0).isReadable {
            _ = PQconsumeInput(handle)
        }
        return isLost
    }

    /// The server process that serves this connection.
    public var serverProcessID: Int32 { PQbackendPID(handle) }

    /// For example 170011 for 17.11.
    public var serverVersion: Int32 { PQserverVersion(handle) }

    public var database: String { String(cString: PQdb(handle)) }
    public var user: String { String(cString: PQuser(handle)) }
    /// A host name, an address, or the directory of a Unix socket.
    public var host: String { String(cString: PQhost(handle)) }
    public var port: String { String(cString: PQport(handle)) }

    /// How many seconds making it might have taken, whoever said so; nil for ever.
    public var connectTimeoutSeconds: Int? {
        guard let options = PQconninfo(handle) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if String(cString: keyword) == "connect_timeout", let value = option.pointee.val {
                // libpq takes less than 2 for 2, and nothing or 0 for no limit.
                return Int(String(cString: value)).flatMap { $0 <= 0 ? nil : max(2, $0) }
            }
            option += 1
        }
        return nil
    }

    /// A setting that the server reports by itself: `server_version`, `TimeZone`, `in_hot_standby`, …
    public func reportedSetting(_ name: String) -> String? {
        PQparameterStatus(handle, name).map { String(cString: $0) }
    }

    /// Where the session stands between statements.
    public enum TransactionStatus: Sendable {
        case idle, inTransaction, inFailedTransaction, active, unknown
    }

    public var transactionStatus: TransactionStatus {
        switch PQtransactionStatus(handle) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .inFailedTransaction
        case PQTRANS_ACTIVE: .active
        default: .unknown
        }
    }
}

/// Calls libpq with its two arrays of C strings, each ended by a null pointer.
private func connect(_ names: [String], _ values: [String]) -> OpaquePointer? {
    withCStrings(names) { names in withCStrings(values) { values in PQconnectdbParams(names, values, 1) } }
}

private func withCStrings<R>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> R) -> R {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for string in strings {
        starts.append(bytes.count)
        bytes.append(contentsOf: string.utf8CString)
    }
    return bytes.withUnsafeBufferPointer { buffer in
        body(starts.map { buffer.baseAddress! + $0 } + [nil])
    }
}

/// Keeps the closure alive that libpq calls through a plain pointer.
private final class NoticeReceiver {
    private let onNotice: @Sendable (String) -> Void

    init?(_ onNotice: (@Sendable (String) -> Void)?) {
        guard let onNotice else { return nil }
        self.onNotice = onNotice
    }

    /// Without a receiver notices are dropped; libpq alone would print them on standard error.
    static func receive(_ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
        guard let context, let message else { return }
        Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().onNotice(oneLine(String(cString: message)))
    }
}
