import OrderBook
import Replication
import TestRandom

/// Messages of all kinds, with the values at which encodings break.
struct RandomMessages {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func next() -> Message {
        switch below(10) {
        case 0: .hello(hello())
        case 1: .items(items())
        case 2: .pull(Pull(ranges: some(5) { $0.range() }))
        case 3: .propose(some(5) { Proposal(command: $0.command()) })
        case 4: .confirm(some(20) { $0.id() })
        case 5: .withdraw(some(20) { $0.id() })
        case 6: .heartbeat(heartbeat())
        case 7: .chainQuery(time())
        case 8: .chainAnswer(point())
        default: .late(some(5) { $0.range() })
        }
    }

    mutating func snapshotFrame() -> SnapshotFrame {
        let copy = number()
        return switch below(7) {
        case 0: .request(copy: copy, credit: amount())
        case 1: .begin(copy: copy, header: some(40) { UInt8($0.below(256)) })
        case 2: .chunk(copy: copy, some(300) { UInt8($0.below(256)) })
        case 3: .end(copy: copy, bytes: amount())
        case 4: .refused(copy: copy, because: text())
        case 5: .credit(copy: copy, amount())
        default: .cancel(copy: copy)
        }
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

    private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    private mutating func maybe<T>(_ make: (inout Self) -> T) -> T? { below(2) == 0 ? nil : make(&self) }

    private mutating func some<T>(_ max: Int, _ make: (inout Self) -> T) -> [T] {
        (0..<below(max + 1)).map { _ in make(&self) }
    }

    private mutating func number() -> Int64 {
        let any = Int64(bitPattern: generator.next())
        return pick([0, 1, -1, 63, 64, -64, -65, .max, .min, .max - 1, any, any >> 20, any >> 40, any >> 56])
    }

    private mutating func amount() -> Int64 { number() & .max }

    private mutating func time() -> Timestamp { Timestamp(number()) }

    private mutating func id() -> OrderID { OrderID(high: generator.next(), low: generator.next()) }

    private mutating func text() -> String {
        pick([
            "", "a", "BTC-USD", "dé", "de\u{301}", "😀", "\"\\\n", String(repeating: "x", count: 200),
            "u\(generator.next())",
        ])
    }

    private mutating func name() -> NodeName {
        NodeName(pick(["a", "b", "node-1", String(repeating: "z", count: 32)]))!
    }

    private mutating func side() -> Side { pick(Side.allCases) }

    private mutating func command() -> Command {
        Command(
            id: id(), time: time(), market: text(), user: UserID(text()), origin: text(),
            clientOrderID: maybe { $0.text() }, action: action())
    }

    private mutating func action() -> Command.Action {
        switch below(9) {
        case 0, 1: .place(place())
        case 2: .amend(Amend(target: id(), change: .to(amount: maybe { $0.lots() }, price: maybe { $0.ticks() })))
        case 3: .amend(Amend(target: id(), change: .reduce(by: lots())))
        case 4: .amend(Amend(target: id(), change: .replace(open: lots(), price: ticks())))
        case 5: .cancel(id())
        case 6: .cancelAll(CancelAll(owner: maybe { UserID($0.text()) }, side: maybe { $0.side() }))
        default: pick([.halt, .resume, .expire])
        }
    }

    private mutating func lots() -> AmountLots { AmountLots(number()) }

    private mutating func ticks() -> PriceTicks { PriceTicks(number()) }

    private mutating func place() -> Place {
        Place(
            side: side(), price: maybe { $0.ticks() }, amount: lots(),
            timeInForce: pick([.gtc, .ioc, .fok, .gtd(expires: time())]), postOnly: below(2) == 0,
            selfTradePrevention: maybe { $0.pick(SelfTradePrevention.allCases) })
    }

    private mutating func item() -> JudgedItem {
        JudgedItem(
            LogItem(number: number(), command: command(), isUnconfirmed: below(2) == 0),
            pick([.accepted, .late, .unconfirmed, .duplicate]))
    }

    private mutating func items() -> Items {
        Items(
            reason: pick([.pushed, .relayed, .pulled]), items: some(8) { $0.item() }, answered: some(3) { $0.range() })
    }

    private mutating func range() -> LogRange {
        let (a, b) = (number(), number())
        return LogRange(origin: name(), numbers: min(a, b)...max(a, b))
    }

    private mutating func hello() -> Hello {
        Hello(
            clusterID: text(), members: some(9) { $0.name() }, window: number(), markets: some(4) { $0.market() })
    }

    private mutating func market() -> MarketDefinition {
        MarketDefinition(
            symbol: text(), tickSize: text(), lotSize: text(), maxAmount: number(), maxNotional: maybe { $0.text() },
            minPrice: number(), maxPrice: number())
    }

    private mutating func point() -> ChainPoint {
        ChainPoint(
            through: time(),
            digest: maybe {
                Digest(($0.generator.next(), $0.generator.next(), $0.generator.next(), $0.generator.next()))
            })
    }

    private mutating func heartbeat() -> Heartbeat {
        Heartbeat(
            number: number(), watermark: time(), lastNumber: number(), chain: point(),
            positions: some(9) {
                LogPosition(
                    origin: $0.name(), contiguous: $0.number(), beyond: $0.some(3) { $0.range().numbers },
                    highest: $0.number(), coming: $0.maybe { $0.range().numbers })
            },
            markets: some(4) { MarketPosition(market: $0.text(), seq: Seq($0.number()), digestHead: $0.number()) },
            isLevel: below(2) == 0, sentAt: time(),
            echo: maybe { Heartbeat.Echo(number: $0.number(), sentAt: $0.time(), receivedAt: $0.time()) })
    }
}
