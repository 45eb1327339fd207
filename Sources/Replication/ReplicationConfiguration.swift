/// How nodes agree. Times are microseconds. All members of a cluster must have the same window and members.
public struct ReplicationConfiguration: Hashable, Sendable {
    public var name: NodeName
    public var clusterID: String
    /// All members, itself too.
    public var members: [NodeName]
    /// How long a command waits where watermarks do not let it run earlier. Nodes agree while
    /// window > 2 × (delay + difference of clocks).
    public var window: Int64 = 3_000_000
    /// Whether pools close as soon as the watermarks of all members have passed them.
    public var closesEarly = true
    /// How many other nodes must have stored a command before it gets its stamp.
    public var confirmations = 0
    /// After this a command without its confirmations is refused.
    public var confirmationTimeout: Int64 = 1_000_000
    public var tickInterval: Int64 = 10_000
    public var heartbeatInterval: Int64 = 200_000
    /// A gap between ticks above this means that the process stood still: it must catch up before it closes again.
    public var pauseMax: Int64 = 750_000
    /// How far clocks may differ. Above 80 % of it against half of the peers a node takes no orders.
    public var clockDifferenceMax: Int64 = 500_000
    /// How far beyond the given stamps the persisted bound reaches.
    public var boundAhead: Int64 = 400_000
    /// The same while a peer's state is copied, and nothing can be written; and so much more for each command that there is.
    /// What is left of it afterwards is taken back.
    public var copyBoundAhead: Int64 = 5_000_000
    public var copyBoundPerCommand: Int64 = 100
    public var copyBoundMax: Int64 = 300_000_000
    /// A connected peer that is silent for longer is disconnected.
    public var silenceMax: Int64 = 1_000_000
    /// How long a node gives others the chance to say that they have a command before it relays it to them.
    public var relayDelay: Int64 = 20_000
    /// A pull that is not answered in this time is sent to another peer.
    public var pullTimeout: Int64 = 500_000
    /// A node that is not level and lacks more commands than this, and more than it has, copies a peer's state.
    public var copyAbove: Int64 = 100_000
    /// When no copy was given it asks again after this, and pulls the log meanwhile.
    public var copyPause: Int64 = 10_000_000
    /// Results that differ though this node's tables follow from its log are looked at again after this.
    public var checkAgainAfter: Int64 = 60_000_000
    /// Whether a node that has lost contact with all peers goes on after `window`. In a cluster of three or more it had
    /// better wait for them: what it executes alone is undone later if the others went on too. (After its start a node
    /// that finds no peer for `window` goes on in any case.)
    public var goesOnAlone: Bool

    // MARK: Bounds

    /// Accepted commands that are not closed. Above it a node takes no orders, and reads no more from its peers.
    public var waitingMax = 200_000
    public var enteredMax = 50_000
    public var proposalsMax = 50_000
    public var itemsPerMessageMax = 500
    public var itemsPerReadMax = 2_000
    public var marketsPerHeartbeatMax = 64
    public var rangesPerPullMax = 64
    public var rangesPerPositionMax = 16
    /// Pools whose chain is remembered, for comparing.
    public var chainPointsMax = 100_000

    public init(name: NodeName, clusterID: String, members: [NodeName]) {
        self.name = name
        self.clusterID = clusterID
        self.members = members.sorted()
        goesOnAlone = members.count <= 2
    }

    public var peers: [NodeName] { members.filter { $0 != name } }

    /// Sets the window, and makes what has to be shorter than it shorter: a node must know that it is cut off, that it stood
    /// still or that its clock is wrong before it closes a pool by the window alone.
    public mutating func setWindow(_ window: Int64) {
        self.window = window
        heartbeatInterval = min(heartbeatInterval, max(tickInterval, window / 15))
        silenceMax = min(silenceMax, max(3 * heartbeatInterval, window / 3))
        pauseMax = min(pauseMax, max(3 * tickInterval, window / 4))
        clockDifferenceMax = min(clockDifferenceMax, max(1_000, window / 6))
        pullTimeout = min(pullTimeout, max(3 * heartbeatInterval, window / 6))
        boundAhead = 2 * heartbeatInterval
        confirmationTimeout = min(confirmationTimeout, max(3 * heartbeatInterval, window / 3))
    }
}
