public import Foundation

/// The test data that stands beside the repository, in `../shared/data`, or in the folder PGBOOK_SHARED_DATA.
public enum SharedData {
    /// The folder; nil on a machine that has none.
    public static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment
        let folder =
            environment["PGBOOK_SHARED_DATA"].map { URL(filePath: $0) }
            ?? repository.deletingLastPathComponent().appending(path: "shared/data")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// The file at a path below the folder. Where it is missing it says on standard error how many cases are left
    /// out, and returns nil: the test then passes without them.
    public static func file(_ path: String, cases: Int = 1) -> URL? {
        if let file = folder?.appending(path: path), FileManager.default.fileExists(atPath: file.path) { return file }
        FileHandle.standardError.write(
            Data("left out \(cases) case\(cases == 1 ? "" : "s"): there is no ../shared/data/\(path)\n".utf8))
        return nil
    }

    /// The repository's top level.
    public static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}
