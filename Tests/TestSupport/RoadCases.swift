public import OrderBook
public import Postgres

/// A command that must be refused, in terms that every road has words for, and what it must be refused with.
///
/// The market (`M` unless told otherwise) has tick 0.5, lot 0.001, orders of 1000 at most and worth 500000 at most, prices from 10 to 1000, and
/// somebody's ask of 1 at 900. `HALTED` is halted, `EMPTY` has no order, `OLD` holds an imported history.
public struct RoadCase: Sendable, CustomStringConvertible {
    public enum Command: Sendable {
        case place(Place)
        case amend(Target, amount: String?, price: String?)
        case reduce(Target, by: String)
        case cancel(Target)
        case cancelAll(market: String)
        case halt(market: String)
        case resume(market: String)
    }

    public struct Place: Sendable {
        public var market = "M"
        public var side = "bid"
        public var amount = "1"
        public var price: String? = "100"
        public var timeInForce: String?
        /// Seconds from now.
        public var expiresIn: Int?
        public var postOnly = false
        public var selfTradePrevention: String?
        public var clientOrderID: String?
    }

    /// Orders of the user of the road: `mine` rests with 2 at 100, `dear` with 900 at 550, `many` with 900 at 100, `stopped` in `HALTED`,
    /// `closed` is cancelled. `theirs` is another's, `unknown` nobody's.
    public enum Target: String, Sendable, CaseIterable { case mine, dear, many, stopped, closed, theirs, unknown }

    public var code: OutcomeCode
    public var command: Command
    /// What is wrong with it.
    public var description: String

    init(_ code: OutcomeCode, _ command: Command, _ description: String) {
        self.code = code
        self.command = command
        self.description = description
    }

    /// The command's word in tables.
    public var commandName: String {
        switch command {
        case .place: "place"
        case .amend: "amend"
        case .reduce: "reduce"
        case .cancel: "cancel"
        case .cancelAll: "cancel all"
        case .halt: "halt"
        case .resume: "resume"
        }
    }
}

private func place(_ code: OutcomeCode, _ description: String, _ change: (inout RoadCase.Place) -> Void) -> RoadCase {
    var place = RoadCase.Place()
    change(&place)
    return RoadCase(code, .place(place), description)
}

private func amend(
    _ code: OutcomeCode, _ description: String, _ target: RoadCase.Target = .mine, amount: String? = nil,
    price: String? = nil
) -> RoadCase {
    RoadCase(code, .amend(target, amount: amount, price: price), description)
}

extension RoadCase {
    /// An imported market, which no cluster has.
    public var needsImportedMarket: Bool {
        switch command {
        case .place(let place): place.market == "OLD"
        case .cancelAll(let market): market == "OLD"
        default: false
        }
    }

    /// The same in another market than `M`.
    public static func all(in market: String) -> [RoadCase] {
        all.map { refused in
            var refused = refused
            switch refused.command {
            case .place(var place) where place.market == "M":
                place.market = market
                refused.command = .place(place)
            case .halt("M"): refused.command = .halt(market: market)
            default: break
            }
            return refused
        }
    }

    public static let all: [RoadCase] =
        [
            place(.unknownMarket, "a market that is not there") { $0.market = "NOPE" },
            place(.halted, "a halted market") { $0.market = "HALTED" },
            place(.halted, "an imported market") { $0.market = "OLD" },
            place(.offTick, "a price off the tick") { $0.price = "100.3" },
            place(.offTick, "a price below one tick") { $0.price = "0.25" },
            place(.offLot, "an amount off the lot") { $0.amount = "0.0005" },
            place(.notPositive, "an amount of zero") { $0.amount = "0" },
            place(.notPositive, "a negative amount") { $0.amount = "-1" },
            place(.notPositive, "a price of zero") { $0.price = "0" },
            place(.notPositive, "a negative price") { $0.price = "-0.5" },
            place(.tooLarge, "an amount above the largest") { $0.amount = "1000.001" },
            place(.tooLarge, "an amount beyond 64 bits") { $0.amount = "9223372036854775808" },
            place(.tooLarge, "a market order above the largest") {
                $0.amount = "1000.001"
                $0.price = nil
            },
            place(.tooLarge, "a price beyond 64 bits") { $0.price = "9223372036854775808" },
            place(.tooLarge, "a value above the largest") {
                $0.amount = "900"
                $0.price = "600"
            },
            place(.outsideBand, "a price below the band") { $0.price = "9.5" },
            place(.outsideBand, "a price above the band") { $0.price = "1000.5" },
            place(.noLiquidity, "a market order that meets nobody") {
                $0.market = "EMPTY"
                $0.price = nil
            },
            place(.wouldCross, "post-only, and it would trade") {
                $0.price = "900"
                $0.postOnly = true
            },
            place(.cannotFill, "fok for more than there is") {
                $0.amount = "2"
                $0.price = "900"
                $0.timeInForce = "fok"
            },
            place(.expired, "gtd for a time that has passed") {
                $0.timeInForce = "gtd"
                $0.expiresIn = -60
            },
            place(.duplicate, "a client order id that was used for something else") { $0.clientOrderID = "used" },
            place(.badValue, "a side that is none") { $0.side = "hold" },
            place(.badValue, "a time in force that is none") { $0.timeInForce = "day" },
            place(.badValue, "a self-trade prevention that is none") { $0.selfTradePrevention = "xx" },
            place(.badValue, "an expiry without gtd") {
                $0.timeInForce = "ioc"
                $0.expiresIn = 3_600
            },
            place(.badValue, "a market order that is to wait") {
                $0.price = nil
                $0.timeInForce = "gtd"
                $0.expiresIn = 3_600
            },
            place(.badValue, "a market order that is post-only") {
                $0.price = nil
                $0.postOnly = true
            },
            place(.badValue, "post-only that may not rest") {
                $0.timeInForce = "ioc"
                $0.postOnly = true
            },
            place(.badValue, "a client order id of 65 characters") {
                $0.clientOrderID = String(repeating: "x", count: 65)
            },
            amend(.unknownOrder, "an order that is not there", .unknown, amount: "1"),
            amend(.notYours, "another's order", .theirs, amount: "0.5"),
            amend(.alreadyClosed, "an order that rests no more", .closed, amount: "0.5"),
            amend(.halted, "a halted market", .stopped, amount: "0.5"),
            amend(.offTick, "a price off the tick", price: "100.3"),
            amend(.offLot, "an amount off the lot", amount: "0.0005"),
            amend(.notPositive, "an amount of zero", amount: "0"),
            amend(.notPositive, "a negative price", price: "-1"),
            amend(.tooLarge, "an amount above the largest", amount: "1000.001"),
            amend(.tooLarge, "a value above the largest", amount: "900", price: "600"),
            amend(.tooLarge, "a price alone that makes the value too large", .many, price: "600"),
            amend(.tooLarge, "an amount alone that makes the value too large", .dear, amount: "1000"),
            amend(.outsideBand, "a price outside the band", price: "9.5"),
            amend(.wouldCross, "a post-only order that would trade", .mine, price: "900"),
        ] + [
            RoadCase(.unknownOrder, .reduce(.unknown, by: "1"), "an order that is not there"),
            RoadCase(.notYours, .reduce(.theirs, by: "0.5"), "another's order"),
            RoadCase(.alreadyClosed, .reduce(.closed, by: "0.5"), "an order that rests no more"),
            RoadCase(.halted, .reduce(.stopped, by: "0.5"), "a halted market"),
            RoadCase(.offLot, .reduce(.mine, by: "0.0005"), "an amount off the lot"),
            RoadCase(.notPositive, .reduce(.mine, by: "0"), "an amount of zero"),
            RoadCase(.tooLarge, .reduce(.mine, by: "1000.001"), "an amount above the largest"),
            RoadCase(.unknownOrder, .cancel(.unknown), "an order that is not there"),
            RoadCase(.notYours, .cancel(.theirs), "another's order"),
            RoadCase(.alreadyClosed, .cancel(.closed), "an order that rests no more"),
            RoadCase(.unknownMarket, .cancelAll(market: "NOPE"), "a market that is not there"),
            RoadCase(.halted, .cancelAll(market: "OLD"), "an imported market"),
            RoadCase(.notPermitted, .halt(market: "M"), "a trader"),
            RoadCase(.notPermitted, .resume(market: "HALTED"), "a trader"),
        ]
}

/// The markets and orders that the cases speak of.
public struct RoadSetup: Sendable {
    /// The orders' ids in the database.
    public private(set) var ids: [RoadCase.Target: String] = [.unknown: "0197c1d8-5a00-7000-8000-000000000000"]

    /// Adds the markets; one of them is halted once the orders of all roads are there.
    public static func addMarkets(
        _ database: TestDatabase, named names: [String] = ["M", "HALTED", "EMPTY"]
    ) throws {
        let node = try database.connection(as: .node)
        for market in names {
            try node.execute(
                """
                SELECT pgbook.add_market($1, 0.5, 0.001, max_amount => 1000, max_notional => 500000,
                                         min_price => 10, max_price => 1000)
                """, market)
        }
        try node.execute("SELECT pgbook.place_order($1, 'ask', 1, 900, user_id => 'somebody')", names[0])
    }

    /// A market that holds a history from elsewhere.
    public static func addImportedMarket(_ database: TestDatabase) throws {
        let node = try database.connection(as: .node)
        try node.execute("SELECT pgbook.add_market('OLD', 1, 1)")
        try node.execute("UPDATE pgbook_data.markets SET is_imported = true WHERE symbol = 'OLD'")
    }

    /// Places the orders of one road's user.
    public init(_ database: TestDatabase, user: String, market: String = "M") throws {
        let node = try database.connection(as: .node)
        func place(_ arguments: String, user: String) throws -> String {
            try node.execute(
                "SELECT pgbook.place_order(\(arguments.replacing("M", with: market)), user_id => $1)::text", user
            ).one().decode(at: 0)
        }
        ids[.mine] = try place("'M', 'bid', 2, 100, post_only => true, client_order_id => 'used'", user: user)
        ids[.dear] = try place("'M', 'bid', 900, 550", user: user)
        ids[.many] = try place("'M', 'bid', 900, 100", user: user)
        ids[.stopped] = try place("'HALTED', 'bid', 1, 100", user: user)
        ids[.closed] = try place("'M', 'bid', 1, 50", user: user)
        ids[.theirs] = try place("'M', 'bid', 1, 100", user: "somebody")
        try node.execute("SELECT pgbook.cancel_order($1::text::uuid, user_id => $2)", ids[.closed], user)
    }

    public static func halt(_ database: TestDatabase) throws {
        try database.connection(as: .node).execute("SELECT pgbook.halt_market('HALTED')")
    }

    /// How many commands still wait for their execution.
    public static func waiting(_ database: TestDatabase) throws -> Int64 {
        try database.connection().execute(
            "SELECT (SELECT count(*) FROM pgbook_data.inbox) + (SELECT count(*) FROM pgbook_data.outbox)"
        ).one().decode(at: 0)
    }

    /// What a command without an answer came to; nil while it waits.
    public static func code(_ database: TestDatabase, of command: String) throws -> String? {
        let rows = try database.connection().execute(
            "SELECT code FROM pgbook.commands WHERE id = $1::text::uuid", command)
        return try rows.first?.decode(String?.self, at: 0)
    }

    /// Resting orders and closed ones, in text: a refused command must not change them.
    public static func book(_ database: TestDatabase) throws -> [String] {
        try database.connection().execute("SELECT b::text FROM pgbook_data.book b ORDER BY id").map {
            try $0.decode(String.self, at: 0)
        }
    }
}

/// The cases as SQL, for a session that speaks for itself.
public enum RoadSQL {
    /// An expression that gives the command's id, and the texts that `$1` stands for.
    public static func statement(
        _ command: RoadCase.Command, _ ids: [RoadCase.Target: String]
    ) -> (sql: String, values: [String?]) {
        switch command {
        case .place(let place):
            let expires = place.expiresIn.map { "now() + interval '\($0) seconds'" } ?? "null"
            return (
                """
                pgbook.place_order($1[1], $1[2], $1[3]::numeric, $1[4]::numeric, time_in_force => coalesce($1[5], 'gtc'),
                    post_only => \(place.postOnly), self_trade_prevention => $1[6], client_order_id => $1[7],
                    expires => \(expires))
                """,
                [
                    place.market, place.side, place.amount, place.price, place.timeInForce, place.selfTradePrevention,
                    place.clientOrderID,
                ]
            )
        case .amend(let target, let amount, let price):
            return ("pgbook.amend_order($1[1]::uuid, $1[2]::numeric, $1[3]::numeric)", [ids[target], amount, price])
        case .reduce(let target, let by):
            return ("pgbook.reduce_order($1[1]::uuid, $1[2]::numeric)", [ids[target], by])
        case .cancel(let target): return ("pgbook.cancel_order($1[1]::uuid)", [ids[target]])
        case .cancelAll(let market): return ("(pgbook.cancel_all($1[1])).command_id", [market])
        case .halt(let market): return ("pgbook.halt_market($1[1])", [market])
        case .resume(let market): return ("pgbook.resume_market($1[1])", [market])
        }
    }

    /// The code of a refusal; nil where it is none.
    public static func code(_ error: PostgresError) -> String? {
        if error.sqlState == .insufficientPrivilege { return OutcomeCode.notPermitted.name }
        guard error.sqlState?.code.hasPrefix("PB") == true else { return nil }
        return String(error.message.prefix { $0 != ":" })
    }
}
