public import Postgres

/// Whether a server keeps what it says it has written. No session can set it.
struct ServerKeeping: Sendable, Hashable {
    var fsync: String
    var fullPageWrites: String
    var clusterName: String

    /// Why an acknowledgement would not be durable here, and how to mend it.
    var fault: String? {
        guard clusterName != StoreLimits.throwawayCluster else { return nil }
        if fsync == "off" {
            return "fsync is off: a crash of the machine can lose or destroy the book, so nothing is acknowledged; set "
                + "fsync = on in postgresql.conf and reload it"
        }
        if fullPageWrites == "off" {
            return "full_page_writes is off: a power cut can destroy pages, so nothing is acknowledged; set "
                + "full_page_writes = on in postgresql.conf and reload it"
        }
        return nil
    }

    init(fsync: String, fullPageWrites: String, clusterName: String) {
        self.fsync = fsync
        self.fullPageWrites = fullPageWrites
        self.clusterName = clusterName
    }

    init(_ row: Row) throws(PostgresError) {
        self.init(fsync: try row.decode(at: 0), fullPageWrites: try row.decode(at: 1), clusterName: try row.decode(at: 2))
    }

    /// - Throws: kind `unfit`.
    func require() throws(PostgresError) {
        if let fault { throw PostgresError(.unfit, fault) }
    }
}

extension Connection {
    /// What was true at connect may have changed since: whoever goes on acknowledging asks about once a second.
    /// - Throws: kind `unfit`.
    public func requireDurable() throws(PostgresError) {
        try ServerKeeping(execute(SQL.serverKeeping).one()).require()
    }
}
