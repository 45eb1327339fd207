import MarketData
import Store
import Wire

/// Whether an order would be taken and executed now, and if not, why: what everybody is told alike.
struct Readiness: Sendable {
    let feed: MarketDataFeed
    /// Of the matcher of this process; nil where it has none, and rests on those that the database knows of.
    let executor: ExecutorHealth?

    /// Why an order would not be executed, in one line; nil where it would.
    var notReady: String? {
        // A database that is gone is everybody's reason; its own words say most.
        if let reason = feed.notCurrent { return reason }
        let stored = feed.readiness
        if let reason = stored.notReady { return reason }
        return executor.map { $0.notReady() } ?? stored.noMatcher
    }

    /// What does not keep the node from being ready, one line each.
    var warnings: [String] { feed.warnings }

    /// Tells all sockets when it changes, until cancelled. It asks nobody that could hang.
    func announce(to hub: Hub, every interval: Duration) async {
        var told: String?
        while (try? await Task.sleep(for: interval)) != nil {
            let reason = notReady
            // Behind a colon stand particulars, which may change all the time.
            guard reason?.split(separator: ":").first != told?.split(separator: ":").first else { continue }
            told = reason
            hub.announce(FrameBytes.text(NodeMessage(notReadyBecause: reason)), isStanding: reason != nil)
        }
    }
}
