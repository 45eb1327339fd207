import OrderBook
import Replication

/// A simulated machine: a database, a sidecar (while it runs) and its clocks.
struct Node: Sendable {
    var disk: Disk
    var matcher = Matcher()
    var machine: Replicator?
    /// Counts starts: what an earlier process began does not reach a later one.
    var life = 0
    var pausedUntil: Int64?
    /// What came while it stood still.
    var waiting: [Event] = []
    /// Writes on their way to the disk.
    var queue: [(number: WriteNumber, writes: [Write])] = []
    var busyUntil: Int64 = 0
    /// How much of `disk.entered` the sidecar was told.
    var untold: [Command] = []
    var isMatching = false
    var isRebuilding = false

    // MARK: Clocks

    var offset: Int64 = 0
    var driftPPM: Int64 = 0
    var driftSince: Int64 = 0

    func wall(at time: Int64, step: Int64) -> Timestamp {
        let shown = Cluster.epoch + time + offset + driftPPM * (time - driftSince) / 1_000_000
        return Timestamp(shown / step * step)
    }

    // MARK: What goes wrong

    var slowDiskUntil: Int64 = 0
    var slowDiskBy: Int64 = 0
    /// When its tables are compared with its log next, once they were tampered with.
    var checkAt: Int64?
}

/// What goes from one node to another.
struct Direction: Sendable {
    /// The connection as the sender of this direction sees it; 0 is none.
    var connection = 0
    var lastDelivery: Int64 = 0
    var blockedUntil: Int64 = 0
    var slowUntil: Int64 = 0
    var slowBy: Int64 = 0
}
