import OrderBook
import Postgres
import Store

/// JSON text in the making. Numbers are the digits they came with.
indirect enum JSON: CustomStringConvertible {
    case object([(String, JSON)])
    case array([JSON])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    static func number(_ value: some BinaryInteger) -> JSON { .number(String(value)) }
    static func decimal(_ value: PostgresNumeric?) -> JSON { value.map { .number($0.description) } ?? .null }
    static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    static func time(_ value: Timestamp?) -> JSON { value.map { .string($0.iso) } ?? .null }
    static func id(_ value: OrderID?) -> JSON { value.map { .string($0.description) } ?? .null }

    var description: String {
        switch self {
        case .object(let members):
            "{" + members.map { quoted($0.0) + ":" + $0.1.description }.joined(separator: ",") + "}"
        case .array(let elements): "[" + elements.map(\.description).joined(separator: ",") + "]"
        case .string(let text): quoted(text)
        case .number(let digits): digits
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        }
    }
}

private func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": quoted += "\\\(scalar)"
        case "\n": quoted += "\\n"
        case "\t": quoted += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}

// The names are those of the columns of the public views.

extension OrderRecord {
    var json: JSON {
        .object([
            ("id", .id(id)), ("time", .time(time)), ("user_id", .string(user.rawValue)), ("type", .string(side.word)),
            ("exec_type", .string(execType)), ("amount", .decimal(amount)), ("price", .decimal(price)),
            ("security", .string(market)), ("status", .string(status)), ("filled", .decimal(filled)),
            ("remaining", .decimal(remaining)), ("avg_price", .decimal(averagePrice)), ("reason", .text(reason)),
            ("time_in_force", .string(timeInForce)), ("post_only", .bool(postOnly)),
            ("self_trade_prevention", .text(selfTradePrevention)), ("expires", .time(expires)),
            ("client_order_id", .text(clientOrderID)), ("origin", .string(origin)),
            ("seq", seq.map { .number($0.rawValue) } ?? .null), ("accepted_at", .time(acceptedAt)),
            ("executed_at", .time(executedAt)),
        ])
    }
}

extension CommandRecord {
    func json(fills: [TradeRecord]) -> JSON {
        .object([
            ("id", .id(id)), ("time", .time(time)), ("security", .string(market)), ("user_id", .string(user.rawValue)),
            ("kind", .string(kind)), ("target", .id(target)), ("seq", seq.map { .number($0.rawValue) } ?? .null),
            ("code", .text(code?.name)), ("amount", .decimal(amount)), ("price", .decimal(price)),
            ("filled", .decimal(filled)), ("remaining", .decimal(remaining)), ("dropped", .decimal(dropped)),
            ("avg_price", .decimal(averagePrice)), ("client_order_id", .text(clientOrderID)),
            ("executed_at", .time(executedAt)), ("fills", .array(fills.map(\.json))),
        ])
    }
}

extension TradeRecord {
    var json: JSON {
        .object([
            ("id", .number(id.rawValue)), ("time", .time(time)), ("security", .string(market)),
            ("user_id", .text(user?.rawValue)), ("side", .string(side.word)), ("amount", .decimal(amount)),
            ("price", .decimal(price)), ("total", .decimal(total)), ("taker_order", .id(takerOrder)),
            ("maker_order", .id(makerOrder)), ("maker_user", .text(makerUser?.rawValue)),
            ("best_bid", .decimal(bestBid)), ("best_ask", .decimal(bestAsk)),
            ("seq", seq.map { .number($0.rawValue) } ?? .null),
        ])
    }
}

extension LevelRecord {
    var json: JSON {
        .object([
            ("price", .decimal(price)), ("amount", .decimal(amount)), ("total", .decimal(total)),
            ("orders", .number(orders)),
        ])
    }
}

extension MarketRecord {
    var json: JSON {
        .object([
            ("security", .string(name)), ("tick_size", .decimal(tickSize)), ("lot_size", .decimal(lotSize)),
            ("max_amount", .decimal(amountMax)), ("max_notional", .decimal(notionalMax)),
            ("min_price", .decimal(priceMin)), ("max_price", .decimal(priceMax)), ("state", .string(state)),
            ("seq", .number(seq.rawValue)), ("trades", .number(trades)), ("last_price", .decimal(lastPrice)),
            ("digest", .string(digest)),
        ])
    }
}
