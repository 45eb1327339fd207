import Glibc

enum Style: String {
    case bid = "32"
    case ask = "31"
    case dim = "2"
    case bold = "1"
    case warning = "33"
}

/// What standard output is connected to.
struct Screen {
    /// A person is looking.
    var isTerminal: Bool
    var hasColour: Bool

    static let standard: Screen = {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let noColour = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        return Screen(isTerminal: isTerminal, hasColour: isTerminal && !noColour && !isDumb)
    }()

    func styled(_ text: String, _ style: Style?) -> String {
        guard hasColour, let style else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// Columns and rows.
    static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

/// The keyboard, key by key: no echo, no line editing, Ctrl-C as a byte. Put back as it was by `restore`.
struct Keyboard: ~Copyable {
    private let saved: termios

    /// Nil where standard input is no terminal.
    static func take() -> Keyboard? {
        var saved = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &saved) == 0 else { return nil }
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
        raw.c_iflag &= ~tcflag_t(IXON | ICRNL)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 else { return nil }
        return Keyboard(saved: saved)
    }

    deinit {
        var saved = saved
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved)
    }

    /// The next byte; nil when none came in time, 0 at the end of input.
    func nextByte(milliseconds: Int32) -> UInt8? {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, milliseconds) > 0 else { return nil }
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 1 ? byte : 0
    }
}
