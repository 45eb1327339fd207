import NIOCore
import NIOHTTPTypes

/// The requests of one connection that have come and are not served yet, and what came after them. A value.
struct HeldRequests {
    private var parts = CircularBuffer<HTTPRequestPart>()
    private var wholeCount = 0
    /// Of the first, if it has not come whole.
    private var bodyBytes = 0
    /// The first is more than anybody reads: it is refused before it has come whole.
    private var isTooBig = false
    /// One was handed on, and is not answered yet.
    private var isServing = false
    /// What is being served has not come whole: the rest of it follows.
    private var isOpen = false
    private var wishesToRead = false
    private var events: [Any] = []

    /// Whether something waits that was not even begun to be served.
    var holdsWhole: Bool { wholeCount > 0 || isTooBig }

    var canServeNext: Bool { !isServing && holdsWhole }

    /// - Returns: true if the part belongs to what is being served; false if it is held.
    mutating func add(_ part: HTTPRequestPart, bodyBytesMax: Int) -> Bool {
        if isOpen {
            if case .end = part { isOpen = false }
            return true
        }
        parts.append(part)
        switch part {
        case .head: break
        case .body(let bytes):
            guard wholeCount == 0 else { break }
            bodyBytes += bytes.readableBytes
            isTooBig = bodyBytes > bodyBytesMax
        case .end:
            wholeCount += 1
            isTooBig = false
        }
        return false
    }

    /// The parts of the first request.
    mutating func serveNext() -> [HTTPRequestPart] {
        guard canServeNext else { return [] }
        isServing = true
        var first: [HTTPRequestPart] = []
        while let part = parts.popFirst() {
            first.append(part)
            if case .end = part {
                wholeCount -= 1
                // Of the next, what has come may be but a part.
                countBody()
                return first
            }
        }
        isOpen = true
        isTooBig = false
        bodyBytes = 0
        return first
    }

    private mutating func countBody() {
        bodyBytes = 0
        guard wholeCount == 0 else { return }
        for case .body(let bytes) in parts { bodyBytes += bytes.readableBytes }
    }

    mutating func wasAnswered() { isServing = false }

    /// Nothing more is read while something waits to be served.
    /// - Returns: true if reading has to wait.
    mutating func wishToRead() -> Bool {
        guard holdsWhole else { return false }
        wishesToRead = true
        return true
    }

    mutating func takeWish() -> Bool {
        defer { wishesToRead = false }
        return wishesToRead
    }

    /// An event that comes after what is held is kept until that was handed on.
    mutating func keep(_ event: Any) -> Bool {
        guard holdsWhole else { return false }
        events.append(event)
        return true
    }

    mutating func takeEvents() -> [Any] {
        defer { events = [] }
        return events
    }
}
