import Glibc

/// Reads lines from a terminal: arrows, history, the usual control keys. Nothing is kept between two sessions.
struct LineEditor {
    private var history: [String] = []
    private static let historyMax = 1000

    /// How long a signal may go unseen.
    private static let pollMilliseconds: Int32 = 100

    /// The next line; nil at the end of input (Ctrl-D on an empty line). Ctrl-C begins the line anew.
    /// - Parameter isEnded: asked now and then; true is the end of input too.
    mutating func read(prompt: String, isEnded: () -> Bool) -> String? {
        guard let keyboard = Keyboard.take() else { return readLine() }
        var line = EditedLine(history: history)
        draw(prompt, line)
        while true {
            if isEnded() { return nil }
            guard let key = keyboard.nextKey(milliseconds: Self.pollMilliseconds) else { continue }
            switch key {
            case .enter:
                print("")
                flushOutput()
                remember(line.text)
                return line.text
            case .end where line.text.isEmpty: return nil
            case .interrupt:
                print("^C")
                line = EditedLine(history: history)
            default: line.press(key)
            }
            draw(prompt, line)
        }
    }

    private mutating func remember(_ line: String) {
        guard line.contains(where: { !$0.isWhitespace }), history.last != line else { return }
        history.append(line)
        if history.count > Self.historyMax { history.removeFirst() }
    }

    private func draw(_ prompt: String, _ line: EditedLine) {
        // A line longer than the terminal scrolls sideways, so that one row is always enough.
        let room = max(8, Screen.size.columns - prompt.count - 1)
        let start = max(0, line.cursor - room)
        let visible = line.characters[start..<min(line.characters.count, start + room)]
        let column = prompt.count + line.cursor - start
        print("\r\u{1B}[K\(prompt)\(String(visible))\r" + (column > 0 ? "\u{1B}[\(column)C" : ""), terminator: "")
        flushOutput()
    }
}

enum Key: Equatable {
    case character(Character)
    case enter, end, interrupt
    case left, right, up, down, home, lineEnd
    case backspace, delete, deleteWord, deleteToStart, deleteToEnd
}

/// A line being edited, and the history beside it.
struct EditedLine {
    private(set) var characters: [Character] = []
    private(set) var cursor = 0
    private let history: [String]
    /// Where in the history the line stands; at its end is the line that is being typed.
    private var position: Int
    private var typed: [Character] = []

    init(history: [String]) {
        self.history = history
        position = history.count
    }

    var text: String { String(characters) }

    mutating func press(_ key: Key) {
        switch key {
        case .character(let character):
            characters.insert(character, at: cursor)
            cursor += 1
        case .left: cursor = max(0, cursor - 1)
        case .right: cursor = min(characters.count, cursor + 1)
        case .home: cursor = 0
        case .lineEnd: cursor = characters.count
        case .up: recall(position - 1)
        case .down: recall(position + 1)
        case .backspace where cursor > 0:
            cursor -= 1
            characters.remove(at: cursor)
        case .delete where cursor < characters.count, .end where cursor < characters.count:
            characters.remove(at: cursor)
        case .deleteWord:
            let start = characters[..<cursor].wordStart
            characters.removeSubrange(start..<cursor)
            cursor = start
        case .deleteToStart:
            characters.removeFirst(cursor)
            cursor = 0
        case .deleteToEnd: characters.removeLast(characters.count - cursor)
        default: break
        }
    }

    private mutating func recall(_ wanted: Int) {
        guard (0...history.count).contains(wanted) else { return }
        if position == history.count { typed = characters }
        position = wanted
        characters = wanted == history.count ? typed : Array(history[wanted])
        cursor = characters.count
    }
}

extension ArraySlice<Character> {
    /// Where the last word begins.
    fileprivate var wordStart: Int {
        var index = endIndex
        while index > startIndex, self[index - 1] == " " { index -= 1 }
        while index > startIndex, self[index - 1] != " " { index -= 1 }
        return index
    }
}

extension Keyboard {
    /// How long the rest of an escape sequence may take.
    private static let escapeMilliseconds: Int32 = 50

    /// Waits for a key; nil when none came in time, or one that means nothing here.
    func nextKey(milliseconds: Int32) -> Key? {
        guard let byte = nextByte(milliseconds: milliseconds) else { return nil }
        switch byte {
        case 0x0D, 0x0A: return .enter
        case 0x00, 0x04: return .end
        case 0x03: return .interrupt
        case 0x01: return .home
        case 0x05: return .lineEnd
        case 0x02: return .left
        case 0x06: return .right
        case 0x10: return .up
        case 0x0E: return .down
        case 0x08, 0x7F: return .backspace
        case 0x0B: return .deleteToEnd
        case 0x15: return .deleteToStart
        case 0x17: return .deleteWord
        case 0x1B: return escapeKey()
        case 0x20...0x7E: return .character(Character(UnicodeScalar(byte)))
        case 0xC2...0xF4: return multibyte(byte)
        default: return nil
        }
    }

    private func multibyte(_ first: UInt8) -> Key? {
        var bytes = [first]
        for _ in 1..<(first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4) {
            guard let byte = nextByte(milliseconds: Self.escapeMilliseconds) else { return nil }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)?.first.map { .character($0) }
    }

    private func escapeKey() -> Key? {
        guard let kind = nextByte(milliseconds: Self.escapeMilliseconds), kind == 0x5B || kind == 0x4F else {
            return nil
        }
        var digits = ""
        while let byte = nextByte(milliseconds: Self.escapeMilliseconds) {
            if (0x30...0x3B).contains(byte) {
                digits.unicodeScalars.append(UnicodeScalar(byte))
                continue
            }
            switch (UnicodeScalar(byte), digits) {
            case ("A", _): return .up
            case ("B", _): return .down
            case ("C", _): return .right
            case ("D", _): return .left
            case ("H", _), ("~", "1"), ("~", "7"): return .home
            case ("F", _), ("~", "4"), ("~", "8"): return .lineEnd
            case ("~", "3"): return .delete
            default: return nil
            }
        }
        return nil
    }
}
