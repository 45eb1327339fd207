import OrderBook

/// Whom each token speaks for. The tokens themselves are not kept, only their hashes.
public struct Tokens: Equatable, Sendable {
    /// The hash of a token.
    struct ID: Hashable, Sendable {
        private let digest: Digest

        /// Comparing hashes tells nothing of the token, however long it takes.
        init(_ token: some Sequence<UInt8>) {
            digest = SHA256.hash(token)
        }
    }

    private var users: [ID: UserID] = [:]
    /// How many are so short that they can be guessed.
    public private(set) var shortCount = 0

    /// Letters of a token below which it can be guessed.
    public static let lengthMin = 16
    /// Bytes of a file of tokens.
    static let fileBytesMax = 16 << 20

    init() {}

    public var count: Int { users.count }

    func user(of id: ID) -> UserID? { users[id] }

    /// False where the token is there already.
    private mutating func insert(_ token: some Collection<UInt8>, _ user: UserID) -> Bool {
        let id = ID(token)
        guard users[id] == nil else { return false }
        users[id] = user
        if token.count < Self.lengthMin { shortCount += 1 }
        return true
    }

    /// Reads lines of a token and the user that it speaks for; `#` begins a comment. No message shows a token.
    /// - Parameter path: what messages call it.
    public init(parsing bytes: [UInt8], path: String) throws(GatewayFault) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw GatewayFault(description: "\(path) is not UTF-8")
        }
        // The byte order mark that some editors put in front.
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        let lines = text.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "\n") }
        for (number, line) in zip(1..., lines) { try read(line, "\(path), line \(number)") }
    }

    private mutating func read(_ line: ArraySlice<UInt8>, _ place: String) throws(GatewayFault) {
        let words = line.prefix { $0 != UInt8(ascii: "#") }.split { [0x20, 0x09, 0x0B, 0x0C, 0x0D].contains($0) }
        guard !words.isEmpty else { return }
        guard words.count == 2 else {
            throw GatewayFault(
                description: "\(place): a token and a user belong there, separated by a space; \(words.count) words are"
            )
        }
        guard words[0].count <= 4_096, words[0].allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw GatewayFault(description: "\(place): a token has at most 4096 letters, all of them visible ASCII")
        }
        let user = String(decoding: words[1], as: UTF8.self)
        if let fault = Bounds.fault(ofUser: user) { throw GatewayFault(description: "\(place): \(fault)") }
        guard insert(words[0], UserID(user)) else {
            throw GatewayFault(description: "\(place): this token stands there twice; leave one of them")
        }
    }
}

extension Tokens: ExpressibleByDictionaryLiteral {
    /// Of tokens that stand there twice the first counts.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (token, user) in elements { _ = insert(Array(token.utf8), UserID(user)) }
    }
}

extension Tokens: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(count) tokens" }
    public var customMirror: Mirror { Mirror(self, children: [("count", count)]) }
}
