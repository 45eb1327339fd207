import Foundation

/// `EmbedSQL OUTPUT STAMP SCHEMA FUNCTIONS QUERIES`: writes one Swift file with the SQL of three directories, and a stamp
/// that differs at every run (see EmbedSQLPlugin).
///
/// Run by EmbedSQLPlugin at every build; faults are printed as `file:line: error: …`, which SwiftPM and editors show.
@main struct EmbedSQL {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 6 else {
            report(Fault(file: "EmbedSQL", line: 0, message: "usage: EmbedSQL OUTPUT STAMP SCHEMA FUNCTIONS QUERIES"))
            exit(2)
        }
        do {
            try Data("\(Date().timeIntervalSince1970)".utf8).write(to: URL(filePath: arguments[2]))
            let schema = try files(in: arguments[3])
            let functions = try files(in: arguments[4])
            let queries = try parse(try files(in: arguments[5]))
            let text = header + render(queries: queries) + "\n" + render(schema: schema, functions: functions)
            // An unchanged file keeps its date, so that nothing is compiled anew.
            if (try? String(contentsOfFile: arguments[1], encoding: .utf8)) != text {
                try Data(text.utf8).write(to: URL(filePath: arguments[1]), options: .atomic)
            }
        } catch let faults as Faults {
            faults.all.forEach(report)
            exit(1)
        } catch {
            report(Fault(file: arguments[1], line: 0, message: "cannot be written: \(error)"))
            exit(1)
        }
    }

    static let header = "// Generated from the files under sql/: change those, not this.\n\n"

    static func report(_ fault: Fault) {
        FileHandle.standardError.write(Data("\(fault.file):\(fault.line): error: \(fault.message)\n".utf8))
    }

    /// The `.sql` files of a directory, by name.
    static func files(in directory: String) throws -> [SourceFile] {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasSuffix(".sql") }
            .sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        return try names.map { name in
            let path = directory + "/" + name
            guard let text = String(validating: try Data(contentsOf: URL(filePath: path)), as: UTF8.self) else {
                throw Faults(all: [Fault(file: path, line: 1, message: "is not valid UTF-8")])
            }
            if !text.utf8.contains(where: { $0 > 0x20 }) {
                throw Faults(all: [Fault(file: path, line: 1, message: "is empty")])
            }
            return SourceFile(path: path, name: String(name.dropLast(4)), text: text)
        }
    }
}

struct SourceFile {
    var path: String
    /// File name without `.sql`.
    var name: String
    var text: String
}

struct Fault {
    var file: String
    var line: Int
    var message: String
}

struct Faults: Error {
    var all: [Fault]
}
