import Replication

/// The markets that peers were told of.
struct AnnouncedMarkets {
    let definitions: [MarketDefinition]
    private let symbols: Set<String>
    private let all: Set<MarketDefinition>
    /// What this node greets with.
    var template: Hello?
    /// Whether there may be others by now.
    var isUnknown = false

    init(_ definitions: [MarketDefinition]) {
        self.definitions = definitions
        symbols = Set(definitions.map(\.symbol))
        all = Set(definitions)
    }

    func contains(_ symbol: String) -> Bool { symbols.contains(symbol) }
    func holds(_ definition: MarketDefinition) -> Bool { all.contains(definition) }
}
