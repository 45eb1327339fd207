import OrderBook

/// The record of an execution, written byte by byte from the description of the format.
enum NaiveRecord {
    static func bytes(_ command: Command, _ outcome: Outcome, _ trades: [Trade]) -> [UInt8] {
        var bytes: [UInt8] = []
        func put(_ value: some FixedWidthInteger) {
            for index in (0..<value.bitWidth / 8).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: value >> (index * 8)))
            }
        }
        func put(id: OrderID) {
            put(id.high)
            put(id.low)
        }
        func put(_ texts: [String]) {
            for text in texts { bytes += Array(text.utf8) + [0xff] }
            while bytes.count % 8 != 0 { bytes.append(0) }
        }
        var head = head(command)
        if outcome.remaining != .zero { head.flags += 32 }
        if outcome.dropped != .zero { head.flags += 64 }
        for field in [head.kind, head.side, head.timeInForce, head.prevention, head.flags, 0] { put(field) }
        put(outcome.code.rawValue)
        put(id: command.id)
        put(command.time.rawValue)
        put([command.market, command.user.rawValue, command.origin] + (command.clientOrderID.map { [$0] } ?? []))
        switch command.action {
        case .place(let place):
            put(place.price?.rawValue ?? 0)
            put(place.amount.rawValue)
            if case .gtd(let expires) = place.timeInForce { put(expires.rawValue) }
        case .amend(let amend):
            put(id: amend.target)
            switch amend.change {
            case .to(let amount, let price):
                put(amount?.rawValue ?? 0)
                put(price?.rawValue ?? 0)
            case .reduce(let by): put(by.rawValue)
            case .replace(let open, let price):
                put(open.rawValue)
                put(price.rawValue)
            }
        case .cancel(let target): put(id: target)
        case .cancelAll(let selection):
            if let owner = selection.owner { put([owner.rawValue]) }
        case .halt, .resume, .expire: break
        }
        if outcome.remaining != .zero { put(outcome.remaining.rawValue) }
        if outcome.dropped != .zero { put(outcome.dropped.rawValue) }
        if trades.isEmpty { return bytes }
        put(outcome.filled.rawValue)
        put(outcome.notional.rawValue)
        for trade in trades {
            put(trade.id.rawValue)
            put(trade.time.rawValue)
            put(id: trade.makerOrder)
            put(trade.price.rawValue)
            put(trade.amount.rawValue)
            put(trade.bestBid?.rawValue ?? 0)
            put(trade.bestAsk?.rawValue ?? 0)
        }
        return bytes
    }

    private struct Head {
        var kind: UInt8
        var side: UInt8 = 0
        var timeInForce: UInt8 = 0
        var prevention: UInt8 = 0
        var flags: UInt8 = 0
    }

    private static func head(_ command: Command) -> Head {
        var head: Head
        switch command.action {
        case .place(let place):
            head = Head(kind: 1, side: place.side == .bid ? 0 : 1)
            head.prevention = place.selfTradePrevention?.rawValue ?? 0
            head.flags = (place.postOnly ? 1 : 0) + (place.price == nil ? 2 : 0)
            switch place.timeInForce {
            case .gtc: head.timeInForce = 0
            case .ioc: head.timeInForce = 1
            case .fok: head.timeInForce = 2
            case .gtd: head.timeInForce = 3
            }
        case .amend(let amend):
            switch amend.change {
            case .to(let amount, let price):
                head = Head(kind: 2, flags: (price == nil ? 2 : 0) + (amount == nil ? 4 : 0))
            case .reduce: head = Head(kind: 3)
            case .replace: head = Head(kind: 4)
            }
        case .cancel: head = Head(kind: 5)
        case .cancelAll(let selection):
            head = Head(kind: 6, side: selection.side?.rawValue ?? 255, flags: selection.owner == nil ? 0 : 16)
        case .halt: head = Head(kind: 7)
        case .resume: head = Head(kind: 8)
        case .expire: head = Head(kind: 9)
        }
        if command.clientOrderID != nil { head.flags += 8 }
        return head
    }
}
