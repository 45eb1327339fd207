public import OrderBook

// The words of the public SQL interface.

extension Side {
    /// `bid` or `ask`.
    public var word: String { self == .bid ? "bid" : "ask" }

    init?(word: String) {
        switch word {
        case "bid": self = .bid
        case "ask": self = .ask
        default: return nil
        }
    }
}

extension TimeInForce {
    /// `gtc`, `ioc`, `fok` or `gtd`.
    public var word: String {
        switch self {
        case .gtc: "gtc"
        case .ioc: "ioc"
        case .fok: "fok"
        case .gtd: "gtd"
        }
    }
}

extension SelfTradePrevention {
    /// `dc`, `co`, `cn` or `cb`.
    public var word: String {
        switch self {
        case .decrementAndCancel: "dc"
        case .cancelOldest: "co"
        case .cancelNewest: "cn"
        case .cancelBoth: "cb"
        }
    }

    public init?(word: String) {
        guard let found = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = found
    }
}

extension OutcomeCode {
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}
