import Glibc

/// Reads comma-separated lines by RFC 4180, from a file (plain or by gzip) or from standard input.
final class TableReader {
    private let name: String
    private var descriptor: Int32
    private let file: Int32
    private var expander: Filter?
    private var bytes: [UInt8] = []
    /// As many as `bytes` has room for: a small file needs no large one.
    private var room: Int
    private var place = 0
    private var filled = 0
    private var isAtEnd = false
    /// Of the line read last; the first is 1.
    private(set) var line = 0
    /// Bytes read from the file, of `size`.
    var position: Int { isCompressed ? Int(lseek(file, 0, SEEK_CUR)) : taken }
    let size: Int
    private var taken = 0
    private var isCompressed: Bool { expander != nil }

    /// - Parameter path: `-` is standard input.
    init(_ path: String) throws(HistoryError) {
        name = path
        file = path == "-" ? STDIN_FILENO : Glibc.open(path, O_RDONLY | O_CLOEXEC)
        descriptor = file
        var status = stat()
        size = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
        room = size > 0 ? min(max(size, 1_024), ExportLimits.bufferBytes) : ExportLimits.bufferBytes
        guard file >= 0 else { throw fileFault("cannot read \(path)") }
        guard file != STDIN_FILENO else { return }
        var magic: [UInt8] = [0, 0]
        guard pread(file, &magic, 2, 0) == 2, magic == [0x1F, 0x8B] else { return }
        let pipe = try makePipe()
        room = ExportLimits.bufferBytes
        expander = try Filter(["gzip", "-dc"], input: file, output: pipe.write)
        Glibc.close(pipe.write)
        descriptor = pipe.read
    }

    deinit {
        if descriptor > STDIN_FILENO { Glibc.close(descriptor) }
        if file > STDIN_FILENO, file != descriptor { Glibc.close(file) }
        _ = expander?.wait()
    }

    /// The fields of the next line that is not empty; nil at the end.
    func next() throws(HistoryError) -> [String]? {
        while let text = try nextLine() {
            line += 1
            if !text.isEmpty { return fields(of: text) }
        }
        return nil
    }

    private func nextLine() throws(HistoryError) -> ArraySlice<UInt8>? {
        var scanned = place
        while true {
            if let end = bytes[scanned..<filled].firstIndex(of: UInt8(ascii: "\n")) {
                defer { place = end + 1 }
                return trimmed(bytes[place..<end])
            }
            scanned = filled
            if isAtEnd {
                guard place < filled else { return nil }
                defer { place = filled }
                return trimmed(bytes[place..<filled])
            }
            scanned -= place
            try fill()
        }
    }

    private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    /// Moves the rest of a line to the front and reads behind it.
    private func fill() throws(HistoryError) {
        let rest = filled - place
        guard rest < ExportLimits.bufferBytes else {
            throw HistoryError(.refused, "\(name), line \(line + 1): longer than \(ExportLimits.bufferBytes) bytes")
        }
        // The file has grown meanwhile.
        if rest == room { room = ExportLimits.bufferBytes }
        if place > 0 { bytes.replaceSubrange(0..<rest, with: bytes[place..<filled]) }
        place = 0
        filled = rest
        // The replacement may have been shorter or longer than what it replaced.
        if bytes.count < room { bytes += [UInt8](repeating: 0, count: room - bytes.count) }
        var count = -1
        repeat {
            count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + rest, $0.count - rest) }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw fileFault("cannot read \(name)") }
        if count == 0 { isAtEnd = true }
        filled += count
        taken += count
        if count == 0, let expander {
            self.expander = nil
            let code = expander.wait()
            guard code == 0 else { throw HistoryError(.file, "gzip ended with code \(code) for \(name)") }
        }
    }

    private func fields(of line: ArraySlice<UInt8>) -> [String] {
        let quote = UInt8(ascii: "\"")
        guard line.contains(quote) else {
            return line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        var fields: [[UInt8]] = [[]]
        var isQuoted = false
        var previous: UInt8 = 0
        for byte in line {
            if byte == quote {
                // Two within quotes are one.
                if !isQuoted, previous == quote { fields[fields.count - 1].append(quote) }
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ","), !isQuoted {
                fields.append([])
            } else {
                fields[fields.count - 1].append(byte)
            }
            previous = byte
        }
        return fields.map { String(decoding: $0, as: UTF8.self) }
    }
}
