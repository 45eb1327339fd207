public import Postgres

/// What a connection is for. It decides what is set at connect, what must be true of the server, and whether a pooler may
/// stand between.
public enum SessionPurpose: String, Sendable, CaseIterable {
    /// Executing and acknowledging commands: the matcher, the sidecar.
    case matching
    /// Taking commands in: the gateway's entrance, `place` and its like, `shell`.
    case entering
    /// Reading for a server's clients, and listening.
    case serving
    /// Reading for one command that ends: `book`, `export`, `verify`, `stats`, `doctor`.
    case reading
    /// Writing for as long as it takes: import, candles, busts, retention, checks and copies of a node, bench.
    case working
    case migrating

    /// Whether somebody relies on what it writes.
    var writes: Bool {
        switch self {
        case .matching, .entering, .working, .migrating: true
        case .serving, .reading: false
        }
    }

    /// Whether one transaction can be all of it, so that a pooler by transactions may stand between.
    var fitsOneTransaction: Bool { self == .reading }

    /// What must not be waited for by others for ever; long work takes as long as it takes.
    var isShort: Bool {
        switch self {
        case .matching, .entering, .serving: true
        case .reading, .working, .migrating: false
        }
    }
}

extension ConnectionConfiguration {
    /// As this one, settled for a purpose: every connection sets what pgbook's promises rest on, and checks what it cannot
    /// set, before anybody has it.
    /// - Parameter exceptions: settings that this one connection wants otherwise.
    public func settled(
        for purpose: SessionPurpose, except exceptions: [String: String] = [:]
    ) -> ConnectionConfiguration {
        var plain = self
        plain.onConnect = nil
        let settling = SessionSettling(plain, purpose, exceptions)
        var settled = self
        settled.onConnect = { connection throws(PostgresError) in try settling.settle(connection) }
        return settled
    }
}
