/// What became of a command: exactly one per executed command.
public struct Outcome: Hashable, Sendable {
    public var code: OutcomeCode
    /// Traded by this command as taker.
    public var filled: AmountLots
    /// What rests in the book after this command, of the order it placed or amended.
    public var remaining: AmountLots
    /// What this command took away without a trade: a dropped rest, a refused order's amount, a cancelled order's open amount.
    public var dropped: AmountLots
    /// Σ price × amount of `filled`.
    public var notional: Notional

    public init(
        code: OutcomeCode, filled: AmountLots = .zero, remaining: AmountLots = .zero, dropped: AmountLots = .zero,
        notional: Notional = .zero
    ) {
        self.code = code
        self.filled = filled
        self.remaining = remaining
        self.dropped = dropped
        self.notional = notional
    }
}

/// The stable codes. The raw value stands in the database, the name on the wire; neither ever changes meaning.
public enum OutcomeCode: Int16, Hashable, Sendable, CaseIterable {
    /// The order rests, possibly after partial fills.
    case open = 1
    /// The order was filled whole.
    case filled = 2
    /// The rest of a market or ioc order was dropped, or self-trade prevention took it.
    case dropped = 3
    /// The amend is done and the order still rests.
    case amended = 4
    /// The cancel is done, or an amend left nothing open.
    case cancelled = 5
    /// A cancel-all, halt, resume or expire is done.
    case done = 6

    // Refusals. Nothing but this outcome remains of the command.
    case unknownMarket = 101
    case halted = 102
    case offTick = 103
    case offLot = 104
    case notPositive = 105
    case tooLarge = 106
    case outsideBand = 107
    /// A market order met an empty side.
    case noLiquidity = 108
    /// A post-only order would have traded.
    case wouldCross = 109
    /// A fok order cannot be filled whole.
    case cannotFill = 110
    case unknownOrder = 111
    case notYours = 112
    case alreadyClosed = 113
    /// A gtd time that has passed already.
    case expired = 114
    /// Older than the window on arrival.
    case late = 115
    case duplicate = 116
    /// An option that does not fit the others. Only an entrance refuses with this.
    case badValue = 117
    /// Somebody without the right. Only an entrance refuses with this.
    case notPermitted = 118
    /// Too few nodes confirmed it in time.
    case unconfirmed = 119
    /// The node takes no commands now. Only an entrance refuses with this.
    case notReady = 120
    /// Another session holds what the command needs; trying again may do. Only an entrance refuses with this.
    case busy = 121
    /// What is stored of it cannot be read. It was never executed and takes no `seq`.
    case unreadable = 122
    /// What executing it would write does not fit into the tables. It takes no `seq`.
    case unexecutable = 123

    public var isRefusal: Bool { rawValue > 100 }

    public var name: String {
        switch self {
        case .open: "open"
        case .filled: "filled"
        case .dropped: "dropped"
        case .amended: "amended"
        case .cancelled: "cancelled"
        case .done: "done"
        case .unknownMarket: "unknown_market"
        case .halted: "halted"
        case .offTick: "off_tick"
        case .offLot: "off_lot"
        case .notPositive: "not_positive"
        case .tooLarge: "too_large"
        case .outsideBand: "outside_band"
        case .noLiquidity: "no_liquidity"
        case .wouldCross: "would_cross"
        case .cannotFill: "cannot_fill"
        case .unknownOrder: "unknown_order"
        case .notYours: "not_yours"
        case .alreadyClosed: "already_closed"
        case .expired: "expired"
        case .late: "late"
        case .duplicate: "duplicate"
        case .badValue: "bad_value"
        case .notPermitted: "not_permitted"
        case .unconfirmed: "unconfirmed"
        case .notReady: "not_ready"
        case .busy: "busy"
        case .unreadable: "unreadable"
        case .unexecutable: "unexecutable"
        }
    }
}
