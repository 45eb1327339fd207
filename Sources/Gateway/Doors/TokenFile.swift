import Foundation
import Logging

/// The file of tokens: read at the start, and again whenever it changes.
struct TokenFile {
    let path: String

    /// What tells one state of a file from another.
    private struct Stamp: Equatable {
        var number: UInt64
        var size: UInt64
        var changedAt: Date
    }

    /// How often the file is looked at. It is read when two looks find it changed and at rest: an editor may write it in
    /// pieces.
    private static let interval = Duration.milliseconds(400)

    /// - Throws: a fault that says what is wrong, and shows no token. A file without any is one: nobody could trade, and
    ///   whoever made it meant something else.
    func read() throws(GatewayFault) -> Tokens {
        let tokens = try readLines()
        guard tokens.count > 0 else {
            throw GatewayFault(
                description: "\(path) has no token: write lines of a token, a space and a user, or leave out --tokens")
        }
        return tokens
    }

    private func readLines() throws(GatewayFault) -> Tokens {
        guard let file = fopen(path, "r") else {
            throw GatewayFault(
                description: "the file of tokens cannot be read: \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block[..<count]
            guard bytes.count <= Tokens.fileBytesMax else {
                throw GatewayFault(description: "\(path) has more than \(Tokens.fileBytesMax >> 20) MiB")
            }
        }
        guard ferror(file) == 0 else {
            throw GatewayFault(description: "the file of tokens cannot be read: \(path) is no file, or damaged")
        }
        return try Tokens(parsing: bytes, path: path)
    }

    /// Follows the file until cancelled. What cannot be understood changes nothing, and the log says so; a file that has
    /// been emptied leaves nobody with a right.
    func follow(from current: Tokens, logger: Logger, onChange: (Tokens) -> Void) async {
        var current = current
        // It may have changed since the start.
        var (read, seen): (Stamp?, Stamp?)
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let now = stamp()
            defer { seen = now }
            guard now != read, now == seen else { continue }
            read = now
            do throws(GatewayFault) {
                let tokens = try readLines()
                guard tokens != current else { continue }
                current = tokens
                logger.notice("the tokens were read again", metadata: ["tokens": "\(tokens.count)"])
                onChange(tokens)
            } catch {
                logger.error(
                    "the tokens of before stay in force until the file can be read",
                    metadata: ["error": "\(error.description)"])
            }
        }
    }

    private func stamp() -> Stamp? {
        guard
            let facts = try? FileManager.default.attributesOfItem(
                atPath: URL(filePath: path).resolvingSymlinksInPath().path)
        else { return nil }
        return Stamp(
            number: (facts[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0,
            size: (facts[.size] as? NSNumber)?.uint64Value ?? 0,
            changedAt: facts[.modificationDate] as? Date ?? .distantPast)
    }
}
