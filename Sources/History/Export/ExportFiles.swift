import Glibc

/// Where an export goes.
public struct ExportTarget: Hashable, Sendable {
    public enum Split: String, CaseIterable, Sendable {
        case day, month

        /// The beginning of the period of a time, and that of the next; microseconds.
        func period(of time: Int64) -> (start: Int64, end: Int64) {
            let day = floor(time, by: TimeWriter.dayMicroseconds)
            guard self == .month else {
                return (day * TimeWriter.dayMicroseconds, (day + 1) * TimeWriter.dayMicroseconds)
            }
            var seconds = time_t(day * 86_400)
            var parts = tm()
            gmtime_r(&seconds, &parts)
            parts.tm_mday = 1
            let start = timegm(&parts)
            parts.tm_mon += 1
            return (Int64(start) * 1_000_000, Int64(timegm(&parts)) * 1_000_000)
        }
    }

    /// A path, in which a split export's strftime patterns stand for its periods; nil is standard output.
    public var path: String?
    public var split: Split?
    public var isCompressed: Bool

    public init(path: String?, split: Split? = nil, isCompressed: Bool = false) {
        self.path = path
        self.split = split
        self.isCompressed = isCompressed
    }

    /// The file of a period: by the path's patterns, else with the period before the extension.
    func path(ofPeriod start: Int64) -> String? {
        guard let path, let split else { return path }
        if path.contains("%") { return formatted(start, path) }
        let period = formatted(start, split == .day ? "%Y-%m-%d" : "%Y-%m")
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.dropFirst().firstIndex(of: ".") else { return "\(path)-\(period)" }
        let suffix = name[dot...]
        return "\(path.dropLast(suffix.count))-\(period)\(suffix)"
    }

    /// Beside the files, and named after all of them.
    var manifestPath: String? {
        path.map { path in
            let bare = path.replacing(/[-_.]?%[A-Za-z]/, with: "")
            return bare + ".manifest.json"
        }
    }
}

/// What a finished file holds.
public struct ExportedFile: Hashable, Sendable {
    public var path: String
    public var rows: Int = 0
    public var firstTrade: Int64?
    public var lastTrade: Int64?
    /// Of a split export: what the file holds the records of; microseconds since the Unix epoch.
    var period: Range<Int64>?
}

/// The files of one export. All are written under names that end in `.partial`, and get their own when the last is
/// complete: an export that ends early leaves nothing.
struct ExportFiles: ~Copyable {
    private let target: ExportTarget
    var current: OpenFile?
    private(set) var finished: [ExportedFile] = []
    private var partials: [(partial: String, final: String)] = []
    private var isCommitted = false

    init(_ target: ExportTarget) { self.target = target }

    deinit {
        if !isCommitted { for file in partials { unlink(file.partial) } }
    }

    /// Takes away what was written so far.
    mutating func discard() {
        _ = current.take()
        for file in partials { unlink(file.partial) }
        partials = []
        isCommitted = true
    }

    var hasOpenFile: Bool { current != nil }

    /// Opens the file of a period, or the only one.
    mutating func open(period start: Int64) throws(HistoryError) {
        try close()
        guard finished.count < ExportLimits.filesMax else {
            throw HistoryError(.usage, "more than \(ExportLimits.filesMax) files; give a shorter range")
        }
        guard let path = target.path(ofPeriod: start) else {
            current = try OpenFile(descriptor: STDOUT_FILENO, path: "-", isCompressed: target.isCompressed)
            return
        }
        guard !partials.contains(where: { $0.final == path }) else {
            throw HistoryError(
                .usage, "two periods go to one file \(path); name them apart in -o, as in trades-%Y-%m-%d.csv")
        }
        // A device or pipe cannot be replaced, and is written to as it is.
        var status = stat()
        let isSpecial = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
        let name = isSpecial ? path : path + ".partial"
        let descriptor = Glibc.open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fileFault("cannot write \(name)") }
        if !isSpecial { partials.append((name, path)) }
        current = try OpenFile(descriptor: descriptor, path: path, isCompressed: target.isCompressed)
        if let period = target.split?.period(of: start) { current?.facts.period = period.start..<period.end }
    }

    mutating func write(_ bytes: [UInt8], count: Int) throws(HistoryError) { try current?.write(bytes, count: count) }

    /// What was written into the current file, whose rows come by rising or by falling ids.
    mutating func note(rows: Int, first: Int64?, last: Int64?) {
        current?.facts.rows += rows
        if let first, current?.facts.firstTrade == nil { current?.facts.firstTrade = first }
        if let last { current?.facts.lastTrade = last }
    }

    /// Ends the current file: everything is on disk.
    mutating func close() throws(HistoryError) {
        guard var file = current.take() else { return }
        try file.finish()
        finished.append(file.facts)
    }

    /// Gives all files their names.
    mutating func commit() throws(HistoryError) {
        try close()
        for file in partials { try replace(file.final, by: file.partial) }
        isCommitted = true
    }
}

/// Renames a file that is complete, and lets the folder remember it.
func replace(_ final: String, by partial: String) throws(HistoryError) {
    guard rename(partial, final) == 0 else { throw fileFault("cannot rename \(partial) to \(final)") }
    let slash = final.lastIndex(of: "/")
    let folder = slash.map { $0 == final.startIndex ? "/" : String(final[..<$0]) } ?? "."
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
}

func fileFault(_ what: String) -> HistoryError {
    HistoryError(errno == EPIPE ? .readerLeft : .file, "\(what): \(String(cString: strerror(errno)))")
}

/// One file being written, through gzip where it is to be compressed.
// Not private: the compiler (6.3) cannot refer to a private noncopyable type from another file.
struct OpenFile: ~Copyable {
    var facts: ExportedFile
    private let descriptor: Int32
    /// Where bytes go: the file, or the pipe to gzip.
    private var entry: Int32
    private var compressor: Filter?
    private var written = 0
    /// Up to here the kernel was told to begin storing.
    private var handedOver = 0

    init(descriptor: Int32, path: String, isCompressed: Bool) throws(HistoryError) {
        self.descriptor = descriptor
        facts = ExportedFile(path: path)
        entry = descriptor
        guard isCompressed else { return }
        let pipe = try makePipe()
        entry = pipe.write
        // -n: neither name nor time, so that the same rows are the same bytes.
        compressor = try Filter(["gzip", "-n", "-6"], input: pipe.read, output: descriptor)
        Glibc.close(pipe.read)
    }

    deinit {
        if entry >= 0, entry != descriptor { Glibc.close(entry) }
        _ = compressor?.wait()
        if descriptor != STDOUT_FILENO { Glibc.close(descriptor) }
    }

    mutating func write(_ bytes: [UInt8], count: Int) throws(HistoryError) {
        var done = 0
        while done < count {
            let result = bytes.withUnsafeBytes { Glibc.write(entry, $0.baseAddress! + done, count - done) }
            if result < 0 {
                if errno == EINTR { continue }
                throw fileFault("cannot write \(facts.path)")
            }
            done += result
        }
        written += count
        guard written - handedOver >= ExportLimits.writebackBytes, compressor == nil else { return }
        // Fails on a pipe, where nothing has to be done.
        _ = posix_fadvise(descriptor, off_t(handedOver), off_t(written - handedOver), POSIX_FADV_DONTNEED)
        handedOver = written
    }

    mutating func finish() throws(HistoryError) {
        if let compressor {
            Glibc.close(entry)
            entry = -1
            self.compressor = nil
            let code = compressor.wait()
            guard code == 0 else { throw HistoryError(.file, "gzip ended with code \(code) for \(facts.path)") }
        }
        guard descriptor != STDOUT_FILENO else { return }
        // A pipe or device cannot be synced.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            throw fileFault("cannot store \(facts.path)")
        }
    }
}
