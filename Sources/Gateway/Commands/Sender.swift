import OrderBook
import Synchronization

/// Who gives commands, and how they fared lately: shares are counted by it. One for each socket and user, and one for each
/// request over HTTP.
final class Sender: Sendable {
    /// What a command of a sender costs whose last commands were all refused; others cost 1. A refusal takes the long way
    /// through the database and leaves nothing behind.
    static let costMax = 16

    let address: ClientAddress
    let user: UserID
    /// No two senders have the same.
    let lane: UInt64
    private let recentRefusals = Atomic<Int>(0)
    private static let lanes = Atomic<UInt64>(0)

    init(address: ClientAddress, user: UserID) {
        self.address = address
        self.user = user
        lane = Self.lanes.wrappingAdd(1, ordering: .relaxed).newValue
    }

    var cost: Int { 1 + recentRefusals.load(ordering: .relaxed) }

    /// Answers come one at a time, so that nothing is lost between reading and writing; and a little would not matter.
    func noteAnswer(isRefusal: Bool) {
        let before = recentRefusals.load(ordering: .relaxed)
        let after = isRefusal ? min(before + 1, Self.costMax - 1) : max(before - 1, 0)
        if after != before { recentRefusals.store(after, ordering: .relaxed) }
    }
}
