/// The record of one execution, which the digest chain is made of: digest' = SHA-256(digest ‖ record).
///
/// A sequence of 64-bit words, big-endian. A word written `a:n b:m …` holds fields of n, m … bits from the top.
///
///     kind:8 side:8 timeInForce:8 prevention:8 flags:8 0:24
///     id, two words
///     time
///     length of market:32  length of user:32          in UTF-8 bytes
///     length of origin:32  length of clientOrderID:32
///     the bytes of the four strings, each filled up with zeros to a whole number of words
///     operands of the command, by kind
///     code:16 count of trades:48
///     remaining, dropped
///     if there are trades: filled, notional as two words, and for each trade
///         trade id, time, maker order as two words, price, amount, best bid, best ask (0 where the side is empty)
///
/// kind and operands: 1 place (price, amount, expires if gtd) · 2 amend `to` (target, amount, price) · 3 amend `reduce`
/// (target, by) · 4 amend `replace` (target, open, price) · 5 cancel (target) · 6 cancel-all (length of owner, its bytes)
/// · 7 halt · 8 resume · 9 expire. A target is two words; an absent amount or price is 0. timeInForce: 0 gtc, 1 ioc,
/// 2 fok, 3 gtd. prevention: the raw value, 0 for none. side: the raw value, 255 for both. flags: 1 post-only, 2 market
/// order or no price, 4 no amount, 8 there is a clientOrderID, 16 there is an owner.
///
/// What the record leaves out follows from it: the taker is the order placed or amended, users stand in place commands.
struct RecordBuffer: Sendable {
    /// Kept between commands, so that writing a record allocates nothing.
    private var words: [UInt64] = []

    mutating func digest(
        after previous: Digest, _ command: Command, _ outcome: Outcome, trades: [Trade], from firstTrade: Int
    ) -> Digest {
        words.removeAll(keepingCapacity: true)
        words.append(previous.words.0)
        words.append(previous.words.1)
        words.append(previous.words.2)
        words.append(previous.words.3)
        append(command)
        append(outcome, tradeCount: trades.count - firstTrade)
        if firstTrade < trades.count {
            append(outcome.filled.rawValue)
            words.append(UInt64(truncatingIfNeeded: outcome.notional.rawValue >> 64))
            words.append(UInt64(truncatingIfNeeded: outcome.notional.rawValue))
            for index in firstTrade..<trades.count { append(trades[index]) }
        }
        return SHA256.hash(words: &words)
    }

    // MARK: The command

    private mutating func append(_ command: Command) {
        words.append(command.header)
        append(command.id)
        append(command.time.rawValue)
        append(lengths: command.market, command.user.rawValue)
        append(lengths: command.origin, command.clientOrderID ?? "")
        append(command.market)
        append(command.user.rawValue)
        append(command.origin)
        if let clientOrderID = command.clientOrderID { append(clientOrderID) }
        switch command.action {
        case .place(let place):
            append(place.price?.rawValue ?? 0)
            append(place.amount.rawValue)
            if case .gtd(let expires) = place.timeInForce { append(expires.rawValue) }
        case .amend(let amend):
            append(amend)
        case .cancel(let target):
            append(target)
        case .cancelAll(let selection):
            append(lengths: "", selection.owner?.rawValue ?? "")
            append(selection.owner?.rawValue ?? "")
        case .halt, .resume, .expire:
            break
        }
    }

    private mutating func append(_ amend: Amend) {
        append(amend.target)
        switch amend.change {
        case .to(let amount, let price):
            append(amount?.rawValue ?? 0)
            append(price?.rawValue ?? 0)
        case .reduce(let by):
            append(by.rawValue)
        case .replace(let open, let price):
            append(open.rawValue)
            append(price.rawValue)
        }
    }

    // MARK: Outcome and trades

    private mutating func append(_ outcome: Outcome, tradeCount: Int) {
        words.append(UInt64(UInt16(bitPattern: outcome.code.rawValue)) << 48 | UInt64(tradeCount))
        append(outcome.remaining.rawValue)
        append(outcome.dropped.rawValue)
    }

    private mutating func append(_ trade: Trade) {
        append(trade.id.rawValue)
        append(trade.time.rawValue)
        append(trade.makerOrder)
        append(trade.price.rawValue)
        append(trade.amount.rawValue)
        append(trade.bestBid?.rawValue ?? 0)
        append(trade.bestAsk?.rawValue ?? 0)
    }

    // MARK: Fields

    @inline(__always)
    private mutating func append(_ value: Int64) { words.append(UInt64(bitPattern: value)) }

    @inline(__always)
    private mutating func append(_ id: OrderID) {
        words.append(id.high)
        words.append(id.low)
    }

    @inline(__always)
    private mutating func append(lengths first: String, _ second: String) {
        words.append(UInt64(first.utf8.count) << 32 | UInt64(second.utf8.count))
    }

    private mutating func append(_ text: String) {
        var word: UInt64 = 0
        var shift: UInt64 = 64
        for byte in text.utf8 {
            shift -= 8
            word |= UInt64(byte) << shift
            if shift == 0 {
                words.append(word)
                word = 0
                shift = 64
            }
        }
        if shift != 64 { words.append(word) }
    }
}

extension Command {
    /// The first word of the record.
    fileprivate var header: UInt64 {
        var header = Header()
        if clientOrderID != nil { header.flags |= 8 }
        switch action {
        case .place(let place):
            header.kind = 1
            header.side = UInt64(place.side.rawValue)
            header.prevention = UInt64(place.selfTradePrevention?.rawValue ?? 0)
            if place.postOnly { header.flags |= 1 }
            if place.price == nil { header.flags |= 2 }
            switch place.timeInForce {
            case .gtc: header.timeInForce = 0
            case .ioc: header.timeInForce = 1
            case .fok: header.timeInForce = 2
            case .gtd: header.timeInForce = 3
            }
        case .amend(let amend):
            switch amend.change {
            case .to(let amount, let price):
                header.kind = 2
                if price == nil { header.flags |= 2 }
                if amount == nil { header.flags |= 4 }
            case .reduce: header.kind = 3
            case .replace: header.kind = 4
            }
        case .cancel: header.kind = 5
        case .cancelAll(let selection):
            header.kind = 6
            header.side = selection.side.map { UInt64($0.rawValue) } ?? 255
            if selection.owner != nil { header.flags |= 16 }
        case .halt: header.kind = 7
        case .resume: header.kind = 8
        case .expire: header.kind = 9
        }
        return header.word
    }

    private struct Header {
        var kind: UInt64 = 0
        var side: UInt64 = 0
        var timeInForce: UInt64 = 0
        var prevention: UInt64 = 0
        var flags: UInt64 = 0

        var word: UInt64 { kind << 56 | side << 48 | timeInForce << 40 | prevention << 32 | flags << 24 }
    }
}
