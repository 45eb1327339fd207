import NIOCore

/// Which markets one socket follows, and of which it still must be sent the book and the last trades. A value: it decides,
/// and does nothing. Markets are named by their place in the shard: those that appear later have higher places.
///
/// A socket is sent as many at a time as it takes; until a market's turn has come it is not told what changes there.
struct Following {
    private enum Which {
        /// Those that appear later included, until it subscribes by name.
        case all
        case some(Set<Int>)
    }

    private var which = Which.all
    /// Of all: the first market that was not sent yet.
    private var next = 0
    /// Of some: those not sent yet.
    private var waiting: CircularBuffer<Int> = []
    private var waitingSet: Set<Int> = []

    var isOfAll: Bool {
        switch which {
        case .all: true
        case .some: false
        }
    }

    /// Those followed by name.
    var named: Set<Int> {
        switch which {
        case .all: []
        case .some(let markets): markets
        }
    }

    mutating func follow(_ markets: [Int]) {
        which = .some(Set(markets))
        waiting = CircularBuffer(markets)
        waitingSet = Set(markets)
    }

    /// The next market whose book and trades are to be sent.
    /// - Parameter count: how many markets there are.
    mutating func nextSnapshot(of count: Int) -> Int? {
        switch which {
        case .all:
            guard next < count else { return nil }
            next += 1
            return next - 1
        case .some:
            guard let market = waiting.popFirst() else { return nil }
            waitingSet.remove(market)
            return market
        }
    }

    /// Whether what changes in a market is news to the socket.
    func hasSnapshot(of market: Int) -> Bool {
        switch which {
        case .all: market < next
        case .some(let markets): markets.contains(market) && !waitingSet.contains(market)
        }
    }
}
