import Glibc
import Postgres
import Store

/// What a measurement used.
struct Resources {
    /// Microseconds of CPU of this process.
    var clientCPU: Int64 = 0
    /// Microseconds of CPU of the server's processes; nil if the server is on another machine.
    var serverCPU: Int64?
    var walBytes: Int64 = 0
    /// Nil where the server does not count them.
    var walSyncs: Int64?

    /// What was used up to now.
    /// - Parameter connection: the one that does the work, for a server process holds back its own counts for a while.
    static func used(_ connection: StoreConnection) throws -> Self {
        let counts = try connection.walCounts()
        return Self(
            clientCPU: ownCPU(), serverCPU: serverCPU(connection), walBytes: counts.bytes, walSyncs: counts.syncs)
    }

    func since(_ earlier: Self) -> Self {
        func difference(_ a: Int64?, _ b: Int64?) -> Int64? { a.flatMap { a in b.map { a - $0 } } }
        return Self(
            clientCPU: clientCPU - earlier.clientCPU, serverCPU: difference(serverCPU, earlier.serverCPU),
            walBytes: walBytes - earlier.walBytes, walSyncs: difference(walSyncs, earlier.walSyncs))
    }

    /// Microseconds of CPU of this process.
    static func ownCPU() -> Int64 {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Int64($1.tv_sec) * 1_000_000 + Int64($1.tv_usec) }
    }

    /// Of the postmaster, its children, and those that ended.
    private static func serverCPU(_ connection: StoreConnection) -> Int64? {
        guard connection.host.hasPrefix("/"), let own = ProcessTimes(Int(connection.serverProcessID)),
            own.name == "postgres"
        else { return nil }
        while let postmaster = ProcessTimes(own.parent) {
            let children = ProcessTimes.all().filter { $0.parent == own.parent }
            // A child that ended while we looked would be missing, or counted twice.
            guard ProcessTimes(own.parent)?.ticksOfEnded == postmaster.ticksOfEnded else { continue }
            let ticks = children.reduce(postmaster.ticks + postmaster.ticksOfEnded) { $0 + $1.ticks }
            return ticks * 1_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
        }
        return nil
    }
}

/// Of /proc/PID/stat.
private struct ProcessTimes {
    var name: String
    var parent: Int
    /// Clock ticks in user and system mode.
    var ticks: Int64
    /// The same of children that ended and were waited for.
    var ticksOfEnded: Int64

    init?(_ process: Int) {
        guard let text = try? readText("/proc/\(process)/stat"), let open = text.firstIndex(of: "("),
            let close = text.lastIndex(of: ")")
        else { return nil }
        name = String(text[text.index(after: open)..<close])
        // From the third field on: state, parent, …
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 14, let parent = Int(fields[1]) else { return nil }
        self.parent = parent
        let times = fields[11...14].map { Int64($0) ?? 0 }
        ticks = times[0] + times[1]
        ticksOfEnded = times[2] + times[3]
    }

    static func all() -> [Self] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var processes: [Self] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = Int(name), let process = Self(number) { processes.append(process) }
        }
        return processes
    }
}

/// The memory of this process, in bytes.
enum ResidentMemory {
    static func now() -> Int { field("VmRSS:") }
    /// The most it has been since the process began.
    static func peak() -> Int { field("VmHWM:") }

    private static func field(_ name: String) -> Int {
        guard let text = try? readText("/proc/self/status") else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
            .map { $0 * 1024 } ?? 0
    }
}

private func readText(_ path: String) throws -> String { String(decoding: try ReplayInput.read(path), as: UTF8.self) }
