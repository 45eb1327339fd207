import Glibc

/// Runs a body with the path of a file that holds these bytes and has no name.
func withFile(of bytes: [UInt8], _ body: (String) -> Void) {
    var name = Array("/tmp/pgbook-fuzz-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { return }
    unlink(name)
    defer { close(descriptor) }
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    body("/proc/self/fd/\(descriptor)")
}
