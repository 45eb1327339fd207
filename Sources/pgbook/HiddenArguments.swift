import Glibc

/// Everybody on the machine sees the arguments of a process; a connection string among them may hold a password.
enum HiddenArguments {
    /// Overwrites what was given as `--database`, for those who look from now on.
    static func hide() {
        // A copy, before the original is gone.
        let arguments = CommandLine.arguments
        for (index, argument) in arguments.enumerated() {
            guard let original = CommandLine.unsafeArgv[index] else { continue }
            let option = "--database="
            if argument.hasPrefix(option) {
                blacken(original + option.utf8.count)
            } else if index > 0, arguments[index - 1] == "--database" {
                blacken(original)
            }
        }
    }

    private static func blacken(_ text: UnsafeMutablePointer<CChar>) {
        _ = memset(text, CInt(UInt8(ascii: "*")), strlen(text))
    }
}
