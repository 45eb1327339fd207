import OrderBook
import Synchronization

/// Who gives commands: shares are counted by it. One for each socket and user, and one for each request over HTTP.
final class Sender: Sendable {
    let address: ClientAddress
    let user: UserID
    /// No two senders have the same.
    let lane: UInt64
    private static let lanes = Atomic<UInt64>(0)

    init(address: ClientAddress, user: UserID) {
        self.address = address
        self.user = user
        lane = Self.lanes.wrappingAdd(1, ordering: .relaxed).newValue
    }
}
