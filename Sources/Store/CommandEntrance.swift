/// Where commands of many users go in: stored durably in the order of the calls, and perhaps executed at once.
public protocol CommandEntrance: Sendable {
    /// Takes commands in line, in the order of the calls.
    ///
    /// When a call fails as unreachable, those that stand in line behind it fail too: entering them all again keeps
    /// their order. Entering the same commands again is safe if they bring their ids.
    /// - Parameter answer: called once, on any thread, when all of them are durable or refused: one receipt per entry,
    ///   in order.
    func submit(_ entries: [Entry], answer: @escaping @Sendable (Result<[Receipt], EntranceFailure>) -> Void)
}

/// What an entrance answers to one command.
public struct Receipt: Hashable, Sendable {
    public var admission: Admission
    /// What became of it where it was executed in the same transaction; nil where it waits for a matcher.
    public var state: CommandState?

    public init(_ admission: Admission, state: CommandState? = nil) {
        self.admission = admission
        self.state = state
    }
}

/// Why commands could not be entered.
public enum EntranceFailure: Error, Sendable {
    /// The database cannot take them, and stored nothing.
    case refused(String)
    /// The database could not be reached or was lost on the way. Whether they were stored is not known.
    case unreachable(String)
}
