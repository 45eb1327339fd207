import OrderBook

extension LogItem {
    /// A number has 48 bits in the database.
    public static let numberMax: Int64 = 1 << 48 - 1
}

extension Message {
    /// What no node that follows the rules says, in one line; nil where there is nothing.
    var fault: String? {
        switch self {
        case .items(let items):
            if let judged = items.items.first(where: { !Self.isNumber($0.item.number) }) {
                return "command \(judged.item.number)"
            }
            return items.items.lazy.compactMap(\.item.command.fault).first ?? Self.fault(items.answered)
        case .pull(let pull): return Self.fault(pull.ranges)
        case .late(let ranges): return Self.fault(ranges)
        case .heartbeat(let heartbeat): return heartbeat.fault
        case .propose(let proposals): return proposals.lazy.compactMap(\.command.fault).first
        case .chainQuery(let time): return time.faultOfPromise
        case .chainAnswer(let point): return point.through.faultOfPromise
        case .hello, .confirm, .withdraw: return nil
        }
    }

    private static func fault(_ ranges: [LogRange]) -> String? {
        let wrong = ranges.first { !isNumber($0.numbers.lowerBound) || !isNumber($0.numbers.upperBound) }
        return wrong.map { "commands \($0.numbers.lowerBound) to \($0.numbers.upperBound)" }
    }

    private static func isNumber(_ number: Int64) -> Bool { (1...LogItem.numberMax).contains(number) }
}

extension Heartbeat {
    fileprivate var fault: String? {
        guard number > 0, (0...LogItem.numberMax).contains(lastNumber) else {
            return "heartbeat \(number), promising up to command \(lastNumber)"
        }
        if let market = markets.first(where: { !(0...Bounds.numberMax).contains($0.seq.rawValue) }) {
            return "market \(market.market.prefix(40)) at \(market.seq.rawValue)"
        }
        let shown = [sentAt] + (echo.map { [$0.sentAt, $0.receivedAt] } ?? [])
        if let time = shown.first(where: { !$0.isWithinBounds }) {
            return "a clock that shows \(time.rawValue) µs, outside the years 1 to 9999"
        }
        return watermark.faultOfPromise ?? chain.through.faultOfPromise ?? positions.lazy.compactMap(\.fault).first
    }
}

extension Timestamp {
    /// Up to when something is promised, closed or asked for: the least there is means that nothing is.
    fileprivate var faultOfPromise: String? {
        self == Timestamp(.min) || isWithinBounds ? nil : "a time of \(rawValue) µs, outside the years 1 to 9999"
    }
}

extension LogPosition {
    /// More than what is listed can have come that is not: it is on its way to the database, or behind many gaps.
    private static let unlistedMax: Int64 = 1 << 20

    fileprivate var fault: String? {
        var last = contiguous
        var isRising = contiguous >= 0
        for range in beyond {
            isRising = isRising && range.lowerBound > last
            last = range.upperBound
        }
        let isComing = coming.map { $0.lowerBound > 0 && $0.upperBound <= LogItem.numberMax } ?? true
        guard isRising, isComing, highest >= last, highest <= LogItem.numberMax, highest - last <= Self.unlistedMax
        else {
            return "a log of \(origin) up to \(contiguous), then \(beyond), in all up to \(highest)"
        }
        return nil
    }
}
