import Glibc

/// Reads a whole file, standard input (`-`), or a `.gz` file by way of gzip.
enum ReplayInput {
    static func read(_ path: String) throws -> [UInt8] {
        if path == "-" { return try readAll(STDIN_FILENO, path) }
        if path.hasSuffix(".gz") { return try unpack(path) }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw cannotRead(path) }
        defer { close(file) }
        return try readAll(file, path)
    }

    private static func readAll(_ file: Int32, _ path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw cannotRead(path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func unpack(_ path: String) throws -> [UInt8] {
        guard access(path, R_OK) == 0 else { throw cannotRead(path) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw cannotRead(path) }
        defer { close(ends[0]) }
        let process: pid_t
        do {
            defer { close(ends[1]) }
            process = try startGzip(path, output: ends[1])
        }
        let bytes = try readAll(ends[0], path)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Failure(.usage, "gzip could not unpack \(path); is it whole?") }
        return bytes
    }

    private static func startGzip(_ path: String, output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var arguments = ["gzip", "-dc", "--", path].map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        guard posix_spawnp(&process, "gzip", &actions, nil, &arguments, environ) == 0 else {
            throw Failure(.usage, "\(path) is compressed and there is no gzip to unpack it; unpack it first")
        }
        return process
    }

    private static func cannotRead(_ path: String) -> Failure {
        Failure(.usage, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
}
