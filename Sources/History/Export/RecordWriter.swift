/// A value of an exported record.
public enum ExportValue: Hashable, Sendable {
    case text(String)
    /// Digits as they are to stand there.
    case number(String)
    case none
}

/// How records look.
public struct RecordLayout: Hashable, Sendable {
    public enum Shape: Sendable {
        case csv
        /// An array of objects.
        case json
        /// An object per line.
        case ndjson
        /// An array of arrays.
        case arrays
    }

    public var columns: [String]
    public var shape: Shape
    /// Lines before the first record.
    public var heading: [String]

    public init(columns: [String], shape: Shape, heading: [String]? = nil) {
        self.columns = columns
        self.shape = shape
        self.heading = heading ?? (shape == .csv ? [columns.joined(separator: ",")] : [])
    }
}

/// Writes records into the files of an export, one by one: for what is not so many as trades.
public struct RecordWriter: ~Copyable {
    private let layout: RecordLayout
    private let split: ExportTarget.Split?
    private var files: ExportFiles
    private var text: [UInt8] = []
    private var period: (start: Int64, end: Int64)?
    private var rowsInFile = 0
    public private(set) var rows = 0

    public init(_ layout: RecordLayout, target: ExportTarget) {
        self.layout = layout
        split = target.split
        files = ExportFiles(target)
        text.reserveCapacity(ExportLimits.bufferBytes + ExportLimits.rowBytesMax)
    }

    /// - Parameter time: microseconds since the Unix epoch; chooses the file.
    public mutating func write(_ values: [ExportValue], time: Int64) throws {
        if period.map({ time < $0.start || time >= $0.end }) ?? true { try openFile(at: time) }
        switch layout.shape {
        case .csv:
            append(values.lazy.map(csv), between: ",")
            text.append(UInt8(ascii: "\n"))
        case .ndjson:
            appendObject(values)
            text.append(UInt8(ascii: "\n"))
        case .json:
            text += (rowsInFile == 0 ? "\n" : ",\n").utf8
            appendObject(values)
        case .arrays:
            text += (rowsInFile == 0 ? "\n[" : ",\n[").utf8
            append(values.lazy.map(json), between: ",")
            text.append(UInt8(ascii: "]"))
        }
        rowsInFile += 1
        rows += 1
        files.note(rows: 1, first: nil, last: nil)
        if text.count >= ExportLimits.bufferBytes { try flush() }
    }

    /// Ends the last file and gives all files their names.
    public mutating func finish() throws -> [ExportedFile] {
        if !files.hasOpenFile, split == nil { try openFile(at: 0) }
        try closeFile()
        try files.commit()
        return files.finished
    }

    /// Takes away what was written.
    public mutating func discard() { files.discard() }

    private mutating func openFile(at time: Int64) throws {
        try closeFile()
        let period = split?.period(of: time) ?? (Int64.min, Int64.max)
        self.period = period
        try files.open(period: period.0)
        rowsInFile = 0
        for line in layout.heading { text += "\(line)\n".utf8 }
        if layout.shape == .json || layout.shape == .arrays { text.append(UInt8(ascii: "[")) }
    }

    private mutating func closeFile() throws {
        guard files.hasOpenFile else { return }
        if layout.shape == .json || layout.shape == .arrays { text += "\n]\n".utf8 }
        try flush()
        try files.close()
    }

    private mutating func flush() throws {
        try files.write(text, count: text.count)
        text.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ values: some Sequence<String>, between separator: String) {
        for (index, value) in values.enumerated() {
            if index > 0 { text += separator.utf8 }
            text += value.utf8
        }
    }

    private mutating func appendObject(_ values: [ExportValue]) {
        text.append(UInt8(ascii: "{"))
        append(zip(layout.columns, values).lazy.map { "\(quoted($0)):\(json($1))" }, between: ",")
        text.append(UInt8(ascii: "}"))
    }
}

/// By RFC 4180: between quotes only where it must be.
private func csv(_ value: ExportValue) -> String {
    switch value {
    case .number(let digits): return digits
    case .none: return ""
    case .text(let text):
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}

private func json(_ value: ExportValue) -> String {
    switch value {
    case .number(let digits): digits
    case .none: "null"
    case .text(let text): quoted(text)
    }
}
