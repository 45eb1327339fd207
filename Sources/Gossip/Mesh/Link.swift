import NIOCore
import Replication

/// One connection to a peer whose certificate was found good.
struct Link: Sendable {
    let id: UInt64
    /// Of two connections between the same nodes the one that the earlier name dialled stays.
    let isDialledByEarlier: Bool
    let channel: any Channel
    /// Sends what waits.
    let wake: @Sendable () -> Void
    /// Ends it, and tells the peer why.
    let end: @Sendable (LinkFault) -> Void
}
