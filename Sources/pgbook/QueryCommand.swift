import ArgumentParser
import Glibc
import OrderBook
import Postgres
import Store

struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Run one read-only SQL statement, and print its rows.",
        discussion: """
            It may write nothing, and is ended when its time is up. pgbook's schema is on the path; times are in UTC.
            csv and json are written row by row, whatever their number.

            Example:
              pgbook query busiest.sql --format csv
              echo "select * from vwap('BTC-USD', by => '1h')" | pgbook query - --timeout 2m
            """)

    @Argument(help: "A file with one statement; - is standard input.")
    var file: String
    @Option(help: "How long it may run, such as 500ms, 30s or 2m; 0 is for ever.")
    var timeout = TimeSpan(.seconds(30))
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { try timeout.require("--timeout", .zero ... .seconds(24 * 86_400)) }

    func run() throws {
        let text = try readStatement(file)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw Failure(.usage, "\(file == "-" ? "standard input" : file) holds no statement")
        }
        var settings = ["search_path": "pgbook, public"]
        settings["statement_timeout"] = "\(timeout.microseconds == 0 ? 0 : max(1, timeout.microseconds / 1000))ms"
        let connection = try connection.connect(for: .reading, except: settings)
        do {
            try connection.writeRows(as: format.format) { columns, row in
                try connection.readOnly(text, columns: columns, forEach: row)
            }
        } catch let error as PostgresError {
            throw failure(error, text)
        }
    }

    private func failure(_ error: PostgresError, _ text: String) -> Failure {
        switch error.sqlState {
        case SQLState.queryCanceled?:
            return Failure(.refused, "not done in \(timeout); give it more: --timeout \(longer)")
        case _ where error.kind == .usage:
            return Failure(.refused, error.message)
        case _ where error.kind == .server:
            let fault = [error.position.map { place($0, in: text) }, error.message, error.detail].compactMap(\.self)
            return Failure(.refused, fault.joined(separator: ": ") + (error.hint.map { "; \($0)" } ?? ""))
        default: return Failure(error)
        }
    }

    private var longer: String { "\(TimeSpan(timeout.duration * 10))" }

    /// `line 3, column 14`, from characters counted from 1.
    private func place(_ position: Int, in text: String) -> String {
        let before = text.unicodeScalars.prefix(position - 1)
        let line = before.count { $0 == "\n" } + 1
        let column = before.reversed().prefix { $0 != "\n" }.count + 1
        return "line \(line), column \(column)"
    }
}

/// The most that a statement's text may have.
private let statementBytesMax = 1 << 20

private func readStatement(_ file: String) throws -> String {
    let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        throw Failure(.usage, "\(file) cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = read(descriptor, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw Failure(.usage, "\(file) cannot be read: \(String(cString: strerror(errno)))") }
        if count == 0 { break }
        bytes += piece[..<count]
        guard bytes.count <= statementBytesMax else {
            throw Failure(.usage, "\(file) is longer than \(statementBytesMax) bytes; it should hold one statement")
        }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.usage, "\(file) is not UTF-8")
    }
    return text
}
