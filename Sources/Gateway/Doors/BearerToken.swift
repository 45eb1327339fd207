import Wire

/// The token of an `Authorization` header.
enum BearerToken {
    /// Nil where no such header stands.
    static func find(in headers: [String]) throws(WireError) -> String? {
        guard let header = headers.first else { return nil }
        let words = header.split(separator: " ")
        guard headers.count == 1, words.count == 2, words[0].lowercased() == "bearer" else {
            throw WireError(.unauthorized, "the Authorization header must be: Bearer, a space and the token")
        }
        return String(words[1])
    }
}
