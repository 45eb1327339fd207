/// The record of one execution, which the digest chain is made of: digest' = SHA-256(digest ‖ record).
///
/// A sequence of 64-bit words, big-endian. A word written `a:n b:m …` holds fields of n, m … bits from the top.
///
///     kind:8 side:8 timeInForce:8 prevention:8 flags:8 0:8 code:16
///     id, two words
///     time
///     the UTF-8 bytes of market, user, origin and clientOrderID, each ended by 0xff, which no UTF-8 contains; the whole
///         filled up with zeros to a number of words
///     operands of the command, by kind
///     remaining, unless 0
///     dropped, unless 0
///     if there are trades: filled, notional as two words, and for each trade
///         trade id, time, maker order as two words, price, amount, best bid, best ask (0 where the side is empty)
///
/// kind and operands: 1 place (price, amount, expires if gtd) · 2 amend `to` (target, amount, price) · 3 amend `reduce`
/// (target, by) · 4 amend `replace` (target, open, price) · 5 cancel (target) · 6 cancel-all (the owner as a string) ·
/// 7 halt · 8 resume · 9 expire. A target is two words; an absent amount or price is 0. timeInForce: 0 gtc, 1 ioc, 2 fok,
/// 3 gtd. prevention: the raw value, 0 for none. side: the raw value, 255 for both. flags: 1 post-only, 2 market order or
/// no price, 4 no amount, 8 there is a clientOrderID, 16 there is an owner, 32 remaining is not 0, 64 dropped is not 0.
///
/// What the record leaves out follows from it: the taker is the order placed or amended, users stand in place commands.
/// It is kept short because the hash is the dearest part of an execution: a plain order fits two blocks.
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
        append(command, outcome)
        if outcome.remaining != .zero { append(outcome.remaining.rawValue) }
        if outcome.dropped != .zero { append(outcome.dropped.rawValue) }
        if firstTrade < trades.count {
            append(outcome.filled.rawValue)
            words.append(UInt64(truncatingIfNeeded: outcome.notional.rawValue >> 64))
            words.append(UInt64(truncatingIfNeeded: outcome.notional.rawValue))
            for index in firstTrade..<trades.count { append(trades[index]) }
        }
        return SHA256.hash(words: &words)
    }

    private mutating func append(_ command: Command, _ outcome: Outcome) {
        words.append(RecordHeader(command, outcome).word)
        append(command.id)
        append(command.time.rawValue)
        var strings = StringPacker()
        strings.pack(command.market, &words)
        strings.pack(command.user.rawValue, &words)
        strings.pack(command.origin, &words)
        if let clientOrderID = command.clientOrderID { strings.pack(clientOrderID, &words) }
        strings.finish(&words)
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
            guard let owner = selection.owner else { return }
            var string = StringPacker()
            string.pack(owner.rawValue, &words)
            string.finish(&words)
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
}

/// Strings one after the other, eight bytes a word.
private struct StringPacker {
    private var word: UInt64 = 0
    private var shift: UInt64 = 64

    @inline(__always)
    mutating func pack(_ text: String, _ words: inout [UInt64]) {
        for byte in text.utf8 { put(byte, &words) }
        put(0xff, &words)
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8, _ words: inout [UInt64]) {
        shift -= 8
        word |= UInt64(byte) << shift
        guard shift == 0 else { return }
        words.append(word)
        word = 0
        shift = 64
    }

    mutating func finish(_ words: inout [UInt64]) {
        if shift < 64 { words.append(word) }
    }
}

/// The first word of the record.
private struct RecordHeader {
    private var kind: UInt64 = 0
    private var side: UInt64 = 0
    private var timeInForce: UInt64 = 0
    private var prevention: UInt64 = 0
    private var flags: UInt64 = 0
    private let code: UInt64

    var word: UInt64 {
        kind << 56 | side << 48 | timeInForce << 40 | prevention << 32 | flags << 24 | code
    }

    init(_ command: Command, _ outcome: Outcome) {
        code = UInt64(UInt16(bitPattern: outcome.code.rawValue))
        if command.clientOrderID != nil { flags |= 8 }
        if outcome.remaining != .zero { flags |= 32 }
        if outcome.dropped != .zero { flags |= 64 }
        switch command.action {
        case .place(let place):
            kind = 1
            describe(place)
        case .amend(let amend):
            switch amend.change {
            case .to(let amount, let price):
                kind = 2
                if price == nil { flags |= 2 }
                if amount == nil { flags |= 4 }
            case .reduce: kind = 3
            case .replace: kind = 4
            }
        case .cancel: kind = 5
        case .cancelAll(let selection):
            kind = 6
            side = selection.side.map { UInt64($0.rawValue) } ?? 255
            if selection.owner != nil { flags |= 16 }
        case .halt: kind = 7
        case .resume: kind = 8
        case .expire: kind = 9
        }
    }

    private mutating func describe(_ place: Place) {
        side = UInt64(place.side.rawValue)
        prevention = UInt64(place.selfTradePrevention?.rawValue ?? 0)
        if place.postOnly { flags |= 1 }
        if place.price == nil { flags |= 2 }
        switch place.timeInForce {
        case .gtc: timeInForce = 0
        case .ioc: timeInForce = 1
        case .fok: timeInForce = 2
        case .gtd: timeInForce = 3
        }
    }
}
