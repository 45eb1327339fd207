import OrderBook
import Replication
import Store

// What the machine and the store call the same things.

extension LoggedItem {
    init(_ item: LogItem, _ verdict: Verdict) {
        self.init(
            number: item.number, command: item.command, isUnconfirmed: item.isUnconfirmed, refusal: verdict.refusal)
    }

    var item: LogItem { LogItem(number: number, command: command, isUnconfirmed: isUnconfirmed) }

    var judged: JudgedItem { JudgedItem(item, Verdict(refusal, isUnconfirmed: isUnconfirmed)) }
}

extension Verdict {
    /// The code of the outcome; nil where the command is executed.
    var refusal: OutcomeCode? {
        switch self {
        case .accepted: nil
        case .late: .late
        case .unconfirmed: .unconfirmed
        case .duplicate: .duplicate
        }
    }

    init(_ refusal: OutcomeCode?, isUnconfirmed: Bool) {
        switch refusal {
        case .late: self = .late
        case .duplicate: self = .duplicate
        case .unconfirmed: self = .unconfirmed
        default: self = isUnconfirmed ? .unconfirmed : .accepted
        }
    }
}

extension LogSpan {
    init(_ range: LogRange) { self.init(origin: range.origin.rawValue, numbers: range.numbers) }

    /// Nil where the origin is no name of a node.
    var range: LogRange? { NodeName(origin).map { LogRange(origin: $0, numbers: numbers) } }
}

extension ClusterWrite {
    init(_ write: Write) {
        switch write {
        case .number(let items): self = .number(items.map { LoggedItem($0.item, $0.verdict) })
        case .store(let items): self = .store(items.map { LoggedItem($0.item, $0.verdict) })
        case .refuse(let ranges, let verdict):
            guard let code = verdict.refusal else { preconditionFailure("nothing is refused as accepted") }
            self = .refuse(ranges.map { LogSpan($0) }, code)
        case .close(let point): self = .close(point.through, chain: point.digest)
        case .bound(let time): self = .bound(time)
        case .propose(let proposals, let origin):
            self = .propose(proposals.map(\.command), from: origin.rawValue)
        case .withdraw(let ids): self = .withdraw(ids)
        case .admit(let admits, let reason): self = .admit(admits, because: reason)
        case .agreed(let time): self = .agreed(time)
        }
    }
}

extension SharedMarket {
    init(_ market: MarketDefinition) {
        self.init(
            symbol: market.symbol, tickSize: market.tickSize, lotSize: market.lotSize, maxAmount: market.maxAmount,
            maxNotional: market.maxNotional, minPrice: market.minPrice, maxPrice: market.maxPrice)
    }

    var definition: MarketDefinition {
        MarketDefinition(
            symbol: symbol, tickSize: tickSize, lotSize: lotSize, maxAmount: maxAmount, maxNotional: maxNotional,
            minPrice: minPrice, maxPrice: maxPrice)
    }
}

extension SharedPosition {
    init(_ position: MarketPosition) {
        self.init(market: position.market, seq: position.seq, digestHead: position.digestHead)
    }

    var position: MarketPosition { MarketPosition(market: market, seq: seq, digestHead: digestHead) }
}
