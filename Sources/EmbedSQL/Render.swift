/// `enum SQL { static let lockMarket: String = … }`
func render(queries: [Query]) -> String {
    var text = "/// The named queries of sql/queries.\nenum SQL {\n"
    for query in queries {
        text += "    /// `\(query.name)` in \(query.file.name).sql\n"
        for line in query.documentation { text += "    /// \(line)\n" }
        text += "    static let `\(query.swiftName)`: String = \(literal(query.sql))\n"
    }
    return text + "}\n"
}

/// `enum Migrations { static let all: [(name: String, sql: String)] = … }`, in the order of their names.
func render(migrations: [SourceFile]) -> String {
    var text = "/// The files of sql/migrations, in the order of their names.\nenum Migrations {\n"
    text += "    static let all: [(name: String, sql: String)] = [\n"
    for file in migrations { text += "        (name: \(literal(file.name)), sql: \(literal(file.text))),\n" }
    return text + "    ]\n}\n"
}

/// A Swift literal of exactly `text`: raw, with more `#` than any run in it, so that nothing in it can end it or be
/// taken for an escape. Text with control characters (a carriage return would be changed by the compiler) is escaped.
func literal(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy {
        $0 == "\n" || $0 == "\t" || ($0.value >= 0x20 && $0.value != 0x7F && $0.value != 0xFEFF)
    }
    guard plain else {
        return "\"" + text.unicodeScalars.reduce(into: "") { $0 += "\\u{\(String($1.value, radix: 16))}" } + "\""
    }
    var longest = 0
    var run = 0
    for byte in text.utf8 {
        run = byte == UInt8(ascii: "#") ? run + 1 : 0
        longest = max(longest, run)
    }
    let hashes = String(repeating: "#", count: longest + 1)
    return "\(hashes)\"\"\"\n\(text)\n\"\"\"\(hashes)"
}
