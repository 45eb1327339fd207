public import OrderBook

/// A command in the log of the node that it entered at. `command.origin` is that node, `command.time` its stamp.
public struct LogItem: Hashable, Sendable {
    /// 1, 2, 3 … per origin, without gaps; stamps rise with it.
    public var number: Int64
    public var command: Command
    /// Not enough nodes confirmed it in time: no node executes it.
    public var isUnconfirmed: Bool

    public init(number: Int64, command: Command, isUnconfirmed: Bool = false) {
        self.number = number
        self.command = command
        self.isUnconfirmed = isUnconfirmed
    }

    public var stamp: Timestamp { command.time }
}

/// What a node does with a command of a log.
public enum Verdict: UInt8, Hashable, Sendable {
    /// It waits in its pool and is executed.
    case accepted = 0
    /// Its pool was closed when it came: recorded and refused.
    case late = 1
    /// Recorded and refused.
    case unconfirmed = 2
    /// Its id was used by a command that comes before it: recorded and refused.
    case duplicate = 3
}

/// A command of a log with what a node does with it.
public struct JudgedItem: Hashable, Sendable {
    public var item: LogItem
    public var verdict: Verdict

    public init(_ item: LogItem, _ verdict: Verdict) {
        self.item = item
        self.verdict = verdict
    }
}
