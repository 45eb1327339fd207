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

/// `enum Migrations`: the files of sql/schema and sql/functions, each in the order of their names.
func render(schema: [SourceFile], functions: [SourceFile]) -> String {
    "enum Migrations {\n"
        + "    /// sql/schema: tables, forward only.\n    static let schema: [(name: String, sql: String)] = \(list(schema))\n"
        + "    /// sql/functions: functions, views and grants, applied anew whenever they differ.\n"
        + "    static let functions: [(name: String, sql: String)] = \(list(functions))\n}\n"
}

private func list(_ files: [SourceFile]) -> String {
    "[\n" + files.map { "        (name: \(literal($0.name)), sql: \(literal($0.text))),\n" }.joined() + "    ]"
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
