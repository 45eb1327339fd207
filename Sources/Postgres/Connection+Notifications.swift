internal import CLibPQ

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What NOTIFY sent.
public struct PostgresNotification: Sendable, Hashable {
    public var channel: String
    public var payload: String
    /// The server process of the sender.
    public var serverProcessID: Int32

    public init(channel: String, payload: String, serverProcessID: Int32) {
        self.channel = channel
        self.payload = payload
        self.serverProcessID = serverProcessID
    }
}

extension Connection {
    /// Subscribes; effective at once outside a transaction.
    public func listen(_ channels: String...) throws(PostgresError) {
        for channel in channels { try command("LISTEN \(quotedIdentifier(channel))") }
    }

    public func unlisten(_ channel: String) throws(PostgresError) {
        try command("UNLISTEN \(quotedIdentifier(channel))")
    }

    /// The next notification that has arrived, without waiting.
    public func nextNotification() -> PostgresNotification? {
        guard let notify = PQnotifies(handle) else { return nil }
        defer { PQfreemem(notify) }
        return PostgresNotification(
            channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra),
            serverProcessID: notify.pointee.be_pid)
    }

    /// Waits for a notification.
    /// - Parameter timeout: nil waits without end.
    /// - Returns: nil when the time has passed, `interrupt.wake()` was called or the task is cancelled.
    /// - Throws: kind `connectionLost`.
    public func waitForNotification(timeout: Duration?) throws(PostgresError) -> PostgresNotification? {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            guard PQconsumeInput(handle) == 1 else { throw .fault(nil, on: handle, query: nil) }
            if let notification = nextNotification() { return notification }
            let rest = deadline.map { $0 - ContinuousClock.now }
            if let rest, rest <= .zero { return nil }
            if Task.isCancelled { return nil }
            guard waitForInput(rest) else {
                interrupt.drainWakes()
                return nil
            }
        }
    }

    /// True when the socket has input, false when woken or the time is up.
    private func waitForInput(_ timeout: Duration?) -> Bool {
        var descriptors = [
            pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0),
            pollfd(fd: interrupt.wakeDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&descriptors, 2, timeout.map(\.pollMilliseconds) ?? -1)
        if ready < 0 { return errno == EINTR }
        return ready > 0 && descriptors[1].revents == 0
    }

    /// Drops what has not been read.
    public func discardNotifications() {
        while nextNotification() != nil {}
    }
}

extension Duration {
    /// Rounded up, so that a wait never ends before its time.
    fileprivate var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return .max }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
