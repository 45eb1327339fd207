import Glibc

/// Reads `token user` lines; `#` begins a comment.
func readTokens(_ path: String) throws -> [String: String] {
    guard let file = fopen(path, "r") else {
        throw Failure(.usage, "the file of tokens cannot be read: \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var tokens: [String: String] = [:]
    var (line, capacity): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
    defer { free(line) }
    var number = 0
    while getline(&line, &capacity, file) >= 0, let text = line {
        number += 1
        let words = String(cString: text).prefix { $0 != "#" }.split { $0.isWhitespace }
        if words.isEmpty { continue }
        guard words.count == 2 else {
            throw Failure(.usage, "\(path), line \(number): a token and a user belong there, \(words.count) words are")
        }
        guard tokens.updateValue(String(words[1]), forKey: String(words[0])) == nil else {
            throw Failure(.usage, "\(path), line \(number): this token stands there twice")
        }
    }
    return tokens
}
