internal import CLibPQ

/// What libpq says of a connection string may quote any part of it, and any part may be a piece of the password.
enum ConnectionString {
    /// Why a string cannot be used, without anything of it; nil where it can.
    static func fault(of text: String) -> String? {
        guard isMoreThanName(text) else {
            guard text.contains(where: { $0 == "@" || $0 == ":" }) else { return nil }
            return
                "the connection string is neither a URL that begins with postgresql:// nor keyword=value nor a database's name; "
                + "it is not shown, since it may hold a password"
        }
        if hasStrayDelimiter(text) {
            return
                "the connection string is ambiguous: in a URL's user and password write %40 for @, %2F for / and %3A for :; "
                + "it is not shown, since it may hold a password"
        }
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(text, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard options == nil else { return nil }
        let words = message.map { withoutQuotes(oneLine(String(cString: $0))) } ?? "out of memory"
        return "the connection string cannot be understood: \(words); it is not shown, since it may hold a password"
    }

    private static let schemes = ["postgresql://", "postgres://"]

    /// libpq takes everything else for the name of a database.
    static func isMoreThanName(_ text: String) -> Bool {
        text.contains("=") || schemes.contains(where: text.hasPrefix)
    }

    /// In a URL: an `@` or `/` that belongs to the password and that libpq takes for the end of it, so that the rest of it
    /// would be named as a host, a port or a database.
    private static func hasStrayDelimiter(_ text: String) -> Bool {
        guard let start = schemes.first(where: text.hasPrefix)?.count else { return false }
        let rest = text.dropFirst(start)
        let credentials = rest.prefix { $0 != "@" && $0 != "/" }
        let after = rest[credentials.endIndex...]
        let path = after.dropFirst(after.hasPrefix("@") ? 1 : 0).prefix { $0 != "?" }
        return path.contains("@")
    }

    /// The words that libpq puts between quotes are its own only where they are one of these.
    private static let ownWords: Set<Substring> = ["=", ":", "/", "[", "]", "@", "%", "%00", "&", "?", "\\"]

    /// libpq's message without what it quotes.
    static func withoutQuotes(_ message: String) -> String {
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        // A part that quotes contain shifts the rest, so that nothing behind the first quote can be trusted.
        guard parts.count > 1 else { return message }
        guard parts.count % 2 == 1 else { return parts[0] + "…" }
        return parts.enumerated().map { index, part in
            index % 2 == 0 || ownWords.contains(part) ? String(part) : "…"
        }.joined(separator: "\"")
    }
}
