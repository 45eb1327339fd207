import Foundation
import Synchronization
import TestSupport

/// A terminal that a program can be run in, and that a test types at and looks at.
final class Terminal: Sendable {
    /// What the program takes for its terminal.
    let programSide: FileHandle
    private let testSide: FileHandle
    private let seen = Mutex(Data())

    init() throws {
        let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (number, unlocked): (UInt32, Int32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN, which have no names here: unlock the other side, and ask for its number.
        guard descriptor >= 0, ioctl(descriptor, 0x4004_5431, &unlocked) == 0,
            ioctl(descriptor, 0x8004_5430, &number) == 0
        else { throw TestFault("no pseudo-terminal: \(String(cString: strerror(errno)))") }
        let other = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        guard other >= 0 else { throw TestFault("no pseudo-terminal: \(String(cString: strerror(errno)))") }
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        testSide = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        programSide = FileHandle(fileDescriptor: other, closeOnDealloc: true)
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(testSide.fileDescriptor, bytes, bytes.count)
    }

    /// Everything shown so far.
    var screen: String {
        seen.withLock { seen in
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(testSide.fileDescriptor, &bytes, bytes.count)
                guard count > 0 else { break }
                seen.append(contentsOf: bytes[..<count])
            }
            return String(decoding: seen, as: UTF8.self)
        }
    }

    /// Echo, line editing, signals: the local modes.
    var settings: UInt32 {
        var settings = termios()
        tcgetattr(programSide.fileDescriptor, &settings)
        return settings.c_lflag
    }

    /// Waits until a text was shown, so many times.
    func wait(for text: String, count: Int = 1) async throws {
        try await eventually("the terminal shows '\(text)'") {
            screen.components(separatedBy: text).count > count
        }
    }
}
