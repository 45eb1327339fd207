import MarketData
import OrderBook
import Store
import Synchronization
import Wire

/// The newest that is known of each market, for whoever asks between two updates.
final class MarketDirectory: Sendable {
    struct Entry: Sendable {
        var market: Market
        var units: MarketUnits
        var isHalted: Bool
        var seq: Seq
        var book: BookSnapshot?
        /// Oldest first.
        var recentTrades: [Trade]
    }

    private struct Contents {
        var entries: [MarketNumber: Entry] = [:]
        var numbers: [String: MarketNumber] = [:]
        var updatedAt: ContinuousClock.Instant?
    }

    private let contents = Mutex(Contents())

    subscript(number: MarketNumber) -> Entry? { contents.withLock { $0.entries[number] } }

    subscript(security: String) -> Entry? {
        contents.withLock { contents in contents.numbers[security].flatMap { contents.entries[$0] } }
    }

    /// All, by symbol.
    var all: [Entry] {
        contents.withLock { Array($0.entries.values) }
            .sorted { $0.market.symbol.utf8.lexicographicallyPrecedes($1.market.symbol.utf8) }
    }

    var isEmpty: Bool { contents.withLock { $0.entries.isEmpty } }

    /// Takes an update in. Nil for a market whose sizes the wire cannot carry.
    func update(_ update: MarketUpdate) -> Entry? {
        contents.withLock { contents in
            let number = update.market.number
            guard let units = contents.entries[number]?.units ?? MarketUnits(update.market) else { return nil }
            let entry = Entry(
                market: update.market, units: units, isHalted: update.isHalted, seq: update.seq,
                book: update.book ?? contents.entries[number]?.book, recentTrades: update.recentTrades)
            contents.entries[number] = entry
            contents.numbers[update.market.symbol] = number
            return entry
        }
    }
}

extension MarketUnits {
    init?(_ market: Market) {
        let (tick, lot) = (market.tickSize.exactParts, market.lotSize.exactParts)
        guard let tick = ExactDecimal(exactly: tick.unscaled, scale: tick.scale),
            let lot = ExactDecimal(exactly: lot.unscaled, scale: lot.scale)
        else { return nil }
        self.init(tick: tick, lot: lot)
    }
}
