import Glibc

/// A program beside this one, between two descriptors: gzip.
struct Filter {
    private let process: pid_t
    private let name: String

    /// - Parameters:
    ///   - arguments: the program's name first; it is looked for on the path.
    ///   - input, output: become its standard input and output. It inherits nothing else that is closed on exec.
    init(_ arguments: [String], input: Int32, output: Int32) throws(HistoryError) {
        name = arguments[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let fault = posix_spawnp(&process, name, &actions, nil, &words, environ)
        guard fault == 0 else {
            throw HistoryError(.file, "cannot run \(name): \(String(cString: strerror(fault)))")
        }
        self.process = process
    }

    /// Waits for its end.
    /// - Returns: its exit code; 128 and the signal's number where a signal ended it.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }
}

/// Both ends of a pipe that no other program inherits.
func makePipe() throws(HistoryError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw fileFault("no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
}
