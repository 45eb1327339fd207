import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The modules that a source file imports.
private func imports(in text: String) -> Set<String> {
    var found: Set<String> = []
    for line in text.split(separator: "\n") {
        var words = line.split(separator: " ")[...]
        while let word = words.first, ["public", "package", "internal", "@testable", "@preconcurrency"].contains(word) {
            words = words.dropFirst()
        }
        guard words.first == "import", let last = words.last else { continue }
        found.insert(String(last.split(separator: ".")[0]))
    }
    return found
}

private func swiftFiles(under folder: URL) -> [URL] {
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects ?? []
    return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
}

@Test func `every folder under Sources has its arrows written down`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path)
        .filter { !$0.hasPrefix(".") && $0 != "CLibPQ" }
    #expect(Set(folders) == Set(allowedModules.keys))
    #expect(Set(folders) == Set(allowedOutside.keys))
}

@Test(arguments: allowedModules.keys.sorted())
func `a target imports only what its arrows allow`(target: String) throws {
    let files = swiftFiles(under: root.appending(path: "Sources/\(target)"))
    #expect(!files.isEmpty, "\(target) has no source file")
    let allowed = allowedModules[target]!.union(allowedOutside[target]!)
    for file in files {
        let extra = imports(in: try String(contentsOf: file, encoding: .utf8)).subtracting(allowed).sorted()
        #expect(extra.isEmpty, "\(target)/\(file.lastPathComponent) imports \(extra.joined(separator: ", "))")
    }
}

/// The quoted names of this package's modules in a target's `dependencies:` list of Package.swift.
private func declaredModules(of target: String, in manifest: String) throws -> Set<String> {
    let start = try #require(
        manifest.range(of: #"arget\(\s*name: "\#(target)""#, options: .regularExpression), "no target \(target)")
    let rest = manifest[start.upperBound...]
    let end = rest.range(of: "swiftSettings:")?.lowerBound ?? rest.endIndex
    let declaration = rest[..<end].replacing(/\.product\([^)]*\)/, with: "")
    return Set(declaration.matches(of: /"(\w+)"/).map { String($0.1) }).intersection(
        Set(allowedModules.keys).union(["CLibPQ"]))
}

@Test(arguments: allowedModules.keys.filter { !$0.hasPrefix("EmbedSQL") }.sorted())
func `Package.swift declares no arrow beyond those written down`(target: String) throws {
    let manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    let extra = try declaredModules(of: target, in: manifest).subtracting(allowedModules[target]!).sorted()
    #expect(extra.isEmpty, "\(target) depends on \(extra.joined(separator: ", "))")
}

@Test func `the top level of the repository is fixed`() throws {
    let entries = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { !$0.hasPrefix(".") }
    let allowed: Set = ["Package.swift", "Package.resolved", "Sources", "Tests", "sql", "scripts", "README.md"]
    #expect(Set(entries).subtracting(allowed).sorted() == [])
}

@Test(arguments: ["OrderBook", "Replay", "Replication", "Simulation", "Wire"])
func `a pure target holds money in whole numbers`(target: String) throws {
    for file in swiftFiles(under: root.appending(path: "Sources/\(target)")) {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(!text.contains(/\b(Double|Float)\b/), "\(target)/\(file.lastPathComponent) speaks of floating point")
    }
}

@Test func `SQL stands under sql only`() throws {
    let statement =
        /"""?\s*(?i:select|insert into|update|delete from|create table|with)\s[^"]*\b(?i:from|set|values|where)\b/
    for target in allowedModules.keys.sorted() where target != "EmbedSQL" {
        for file in swiftFiles(under: root.appending(path: "Sources/\(target)")) {
            let text = try String(contentsOf: file, encoding: .utf8)
            let found = text.firstMatch(of: statement)
            #expect(found == nil, "\(target)/\(file.lastPathComponent): \(found.map { String($0.0) } ?? "")")
        }
    }
}
