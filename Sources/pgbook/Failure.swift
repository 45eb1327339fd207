import Glibc
import Gossip
import History
import OrderBook
import Postgres
import Store

/// The exit codes; `pgbook --help` lists them.
enum ExitStatus: Int32 {
    case ok = 0
    /// A command was refused, or a check found a fault.
    case refused = 1
    case usage = 2
    /// No connection, a database that pgbook cannot use as it is, or a port in use.
    case unavailable = 3
    /// The command is in the log, and nobody executed it in time.
    case outcomeUnknown = 4
    case unexpected = 70
    case interrupted = 130
}

/// Why a command ends early: one line for a person, a code and a field for a program.
struct Failure: Error {
    var status: ExitStatus
    /// Nil where everything was said already.
    var message: String?
    /// The stable name of a refusal's code.
    var code: String?
    var field: String?

    init(_ status: ExitStatus, _ message: String? = nil, code: String? = nil, field: String? = nil) {
        self.status = status
        self.message = message
        self.code = code
        self.field = field
    }

    init(_ rejection: Rejection) {
        self.init(.refused, rejection.message, code: rejection.code.name, field: rejection.field)
    }

    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let rejection as Rejection: self.init(rejection)
        case let error as HistoryError: self.init(error)
        case let fault as GossipFault: self.init(.refused, fault.description)
        case let error as StoreError: self.init(.unavailable, error.message)
        case let error as PostgresError: self.init(error)
        case is CancellationError: self.init(.interrupted)
        default: self.init(.unexpected, "\(error)")
        }
    }

    private init(_ error: HistoryError) {
        switch error.kind {
        case .usage: self.init(.usage, error.message)
        case .refused, .file: self.init(.refused, error.message, code: error.code?.name)
        case .readerLeft: self.init(.ok)
        }
    }

    private init(_ error: PostgresError) {
        switch error.kind {
        case .connectFailed:
            self.init(
                .unavailable, "cannot connect: \(error.message); give the database with --database or DATABASE_URL")
        case .unfit:
            self.init(.unavailable, error.message)
        case .connectionLost, .commitOutcomeUnknown:
            self.init(.unavailable, "the connection was lost: \(error.message)")
        case .server where error.isMissingRight:
            self.init(.refused, error.message, code: OutcomeCode.notPermitted.name)
        default:
            self.init(.unexpected, error.description)
        }
    }

    /// The line for a person.
    var line: String? {
        guard let message else { return nil }
        return status == .refused && code != nil ? "refused (\(code ?? "")): \(message)" : message
    }
}

/// One line on standard error.
func complain(_ line: String) {
    let bytes = Array("pgbook: \(printable(line))\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

/// Shows what was printed so far.
func flushOutput() {
    // All streams: the one of standard output is a variable that Swift 6 does not touch.
    fflush(nil)
}

/// The nearest of some words, if it is near enough to be what was meant.
func nearest(to word: String, in words: [String]) -> String? {
    let best = words.map { (word: $0, distance: editDistance(word, $0)) }.min { $0.distance < $1.distance }
    return best.flatMap { $0.distance <= min(2, word.count / 2) ? $0.word : nil }
}

/// How many characters must be changed, added, taken away or swapped with the next to make one word into the other.
private func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var rows = [Array(0...b.count)]
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            let change = rows[i][j] + (a[i] == b[j] ? 0 : 1)
            var least = min(change, row[j] + 1, rows[i][j + 1] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
            row.append(least)
        }
        rows.append(row)
    }
    return rows[a.count][b.count]
}
