/// One named query of a file under sql/queries.
struct Query {
    var file: SourceFile
    var line: Int
    /// As written: `lock_market`.
    var name: String
    /// Comment lines directly after the name.
    var documentation: [String] = []
    var body: [Substring] = []

    /// `lock_market` → `lockMarket`.
    var swiftName: String {
        let words = name.split(separator: "_")
        return words.dropFirst().reduce(String(words[0])) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    /// What is sent: the name stays as a comment in front, so that the server's logs and our errors can tell it.
    var sql: String {
        var lines = body
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        return "-- name: \(name)\n" + lines.joined(separator: "\n")
    }

    var isEmpty: Bool { body.allSatisfy { isBlank($0) || isComment($0) } }
}

/// All the named queries of `files`; throws every fault found.
func parse(_ files: [SourceFile]) throws -> [Query] {
    var queries: [Query] = []
    var faults: [Fault] = []
    for file in files { parse(file, into: &queries, &faults) }
    var seen: [String: Query] = [:]
    for query in queries {
        if query.isEmpty {
            faults.append(Fault(file: query.file.path, line: query.line, message: "query '\(query.name)' is empty"))
        }
        if let first = seen.updateValue(query, forKey: query.swiftName) {
            let message = "query '\(query.name)' is already defined at \(first.file.path):\(first.line)"
            faults.append(Fault(file: query.file.path, line: query.line, message: message))
        }
    }
    guard faults.isEmpty else { throw Faults(all: faults) }
    return queries
}

private func parse(_ file: SourceFile, into queries: inout [Query], _ faults: inout [Fault]) {
    var query: Query?
    let text = file.text.replacing("\r\n", with: "\n")
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        if let name = declaredName(line) {
            if let query { queries.append(query) }
            query = Query(file: file, line: index + 1, name: name)
            if !isName(name) {
                let message =
                    "query name '\(name)' must be lower-case words joined by single underscores, like lock_market"
                faults.append(Fault(file: file.path, line: index + 1, message: message))
                query?.name = "invalid"
            }
        } else if query != nil {
            if query!.body.isEmpty, isComment(line) {
                query!.documentation.append(String(line.drop { $0 == "-" || $0 == " " }))
            } else if !(query!.body.isEmpty && isBlank(line)) {
                query!.body.append(line)
            }
        } else if !isBlank(line), !isComment(line) {
            faults.append(Fault(file: file.path, line: index + 1, message: "SQL before the first '-- name: …' line"))
            return
        }
    }
    if let query { queries.append(query) }
}

private func declaredName(_ line: Substring) -> String? {
    let prefix = "-- name:"
    guard line.hasPrefix(prefix) else { return nil }
    return line.dropFirst(prefix.count).split { $0 == " " || $0 == "\t" }.joined(separator: " ")
}

private func isName(_ name: String) -> Bool {
    let words = name.split(separator: "_", omittingEmptySubsequences: false)
    let first = name.utf8.first ?? 0
    return (0x61...0x7A).contains(first)
        && words.allSatisfy { word in
            !word.isEmpty && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        }
}

private func isBlank(_ line: Substring) -> Bool { line.utf8.allSatisfy { $0 <= 0x20 } }

private func isComment(_ line: Substring) -> Bool { line.drop { $0 == " " || $0 == "\t" }.hasPrefix("--") }
