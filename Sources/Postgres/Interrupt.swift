internal import CLibPQ
internal import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Stops what a connection is doing, from any thread.
///
/// A COMMIT is never abandoned: from the moment it is about to be sent until its answer has come, requests to cancel
/// do nothing, and a cancel request that is on its way holds the COMMIT back until the server has taken it.
public final class Interrupt: Sendable {
    private struct State {
        var cancelHandle: OpaquePointer?
        var isCommitting = false
        /// The call of `Session.run` that is going on, or 0.
        var running: UInt64 = 0

        mutating func replaceHandle(_ handle: OpaquePointer?) {
            PQfreeCancel(cancelHandle)
            cancelHandle = handle
            isCommitting = false
        }

        func cancelUnlessCommitting() {
            guard let cancelHandle, !isCommitting else { return }
            var reason: [CChar] = Array(repeating: 0, count: 256)
            // A server that cannot be reached has nothing to cancel: the statement fails by itself.
            _ = PQcancel(cancelHandle, &reason, Int32(reason.count))
        }
    }

    private let state = Mutex(State())
    /// A pipe that breaks off a wait for notifications; what is written is read away by the waiter.
    private let wakeReadEnd: Int32
    private let wakeWriteEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let failed = pipe(&ends)
        precondition(failed == 0, "no pipe for waking a connection: \(String(cString: strerror(errno)))")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (wakeReadEnd, wakeWriteEnd) = (ends[0], ends[1])
    }

    deinit {
        close(wakeReadEnd)
        close(wakeWriteEnd)
    }

    /// Ends a `waitForNotification` at once, or the next one if none is going on.
    public func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes as well.
        _ = write(wakeWriteEnd, &byte, 1)
    }

    /// Asks the server to stop the running statement, which then fails with 57014, and ends a wait. Blocks for a round
    /// trip. Does nothing while a COMMIT is under way.
    public func cancel() {
        wake()
        state.withLock { $0.cancelUnlessCommitting() }
    }

    var wakeDescriptor: Int32 { wakeReadEnd }

    func drainWakes() {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while read(wakeReadEnd, &bytes, bytes.count) > 0 {}
    }

    // MARK: the connection's side

    /// Takes over a connection's cancel handle, which libpq allows every thread to use.
    func attach(_ cancelHandle: OpaquePointer?) {
        // As a number, since a pointer may not pass from the connection's thread to whoever cancels.
        let address = Int(bitPattern: cancelHandle)
        state.withLock { $0.replaceHandle(OpaquePointer(bitPattern: address)) }
    }

    func detach() {
        state.withLock { $0.replaceHandle(nil) }
    }

    /// - Throws: `CancellationError` where the task is cancelled already; then nothing may be sent.
    func willCommit() throws(CancellationError) {
        state.withLock { $0.isCommitting = true }
        guard !Task.isCancelled else {
            didCommit()
            throw CancellationError()
        }
    }

    func didCommit() {
        state.withLock { $0.isCommitting = false }
    }

    // MARK: the session's side

    func begin(_ run: UInt64) {
        state.withLock { $0.running = run }
    }

    func end() {
        state.withLock { $0.running = 0 }
    }

    /// As `cancel()`, if that run is going on, without blocking the caller.
    func cancelSoon(_ run: UInt64) {
        guard state.withLock({ $0.running == run }) else { return }
        startThread(name: "pgbook-cancel") { self.cancel(run) }
    }

    private func cancel(_ run: UInt64) {
        state.withLock { state in
            guard state.running == run else { return }
            wake()
            state.cancelUnlessCommitting()
        }
    }
}
