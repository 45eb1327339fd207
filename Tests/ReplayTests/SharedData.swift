import Foundation
import Testing

/// Recorded streams that are not part of the repository. A clone without them leaves those cases out, and says so.
enum SharedData {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data")

    /// The bytes of a file, unpacked if its name ends in `.gz`; nil where the folder is missing.
    static func bytes(_ path: String, leavingOut cases: Int = 1) throws -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: folder.path) else {
            print("../shared/data is missing: left out \(cases) case(s) of \(path)")
            return nil
        }
        let file = folder.appending(path: path)
        return path.hasSuffix(".gz") ? try unpack(file) : [UInt8](try Data(contentsOf: file))
    }

    private static func unpack(_ file: URL) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "gzip could not unpack \(file.lastPathComponent)")
        return [UInt8](data)
    }

    /// Expects equal texts and names the first line that differs.
    static func expectEqual(_ actual: [UInt8], _ expected: [UInt8], _ name: String) {
        if actual == expected { return }
        let (a, b) = (actual.split(separator: 10), expected.split(separator: 10))
        let line = zip(a, b).prefix { $0.elementsEqual($1) }.count
        let text: ([ArraySlice<UInt8>]) -> String = {
            line < $0.count ? String(decoding: $0[line], as: UTF8.self) : "(end)"
        }
        Issue.record("\(name), line \(line + 1): printed \(text(a)), expected \(text(b))")
    }
}
