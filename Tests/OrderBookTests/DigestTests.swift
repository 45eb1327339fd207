import OrderBook
import Testing

private func hexadecimal(_ digest: Digest) -> String {
    digest.bytes.map { byte in
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0" + text : text
    }.joined()
}

// The vectors of FIPS 180-4's example papers.
private let vectors: [(String, String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
]

@Test(arguments: vectors)
func `SHA-256 gives the published digests`(message: String, expected: String) {
    #expect(hexadecimal(SHA256.hash(message.utf8)) == expected)
    var bytewise = SHA256()
    for byte in message.utf8 { bytewise.update(byte) }
    #expect(hexadecimal(bytewise.finalize()) == expected)
}

@Test func `SHA-256 of a million letters, however they are cut`() {
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(hexadecimal(SHA256.hash(message)) == expected)
    var parts = SHA256()
    var start = 0
    var size = 1
    while start < message.count {
        let end = min(start + size, message.count)
        parts.update(message[start..<end])
        start = end
        size = size * 3 % 1_009
    }
    #expect(hexadecimal(parts.finalize()) == expected)
}

@Test func `the digest tells everything of a command and what came of it`() {
    let id = OrderID(high: 1, low: 2)
    let place = Place(side: .bid, price: PriceTicks(5), amount: AmountLots(6))
    let base = Command(
        id: id, time: Timestamp(3), market: "M", user: UserID("u"), origin: "o", clientOrderID: "c",
        action: .place(place))
    var commands = [base]
    func vary(_ change: (inout Command) -> Void) {
        var command = base
        change(&command)
        commands.append(command)
    }
    func varyPlace(_ change: (inout Place) -> Void) {
        var changed = place
        change(&changed)
        vary { $0.action = .place(changed) }
    }
    vary { $0.id.high = 9 }
    vary { $0.id.low = 9 }
    vary { $0.time = Timestamp(4) }
    vary { $0.market = "N" }
    vary { $0.user = UserID("v") }
    vary { $0.origin = "p" }
    vary { $0.clientOrderID = "d" }
    vary { $0.clientOrderID = nil }
    vary { $0.clientOrderID = "" }
    vary { ($0.market, $0.user) = ("Mu", UserID("")) }
    varyPlace { $0.side = .ask }
    varyPlace { $0.price = PriceTicks(6) }
    varyPlace { $0.price = nil }
    varyPlace { $0.amount = AmountLots(7) }
    varyPlace { $0.timeInForce = .ioc }
    varyPlace { $0.timeInForce = .fok }
    varyPlace { $0.timeInForce = .gtd(expires: Timestamp(9)) }
    varyPlace { $0.timeInForce = .gtd(expires: Timestamp(10)) }
    varyPlace { $0.postOnly = true }
    for prevention in SelfTradePrevention.allCases { varyPlace { $0.selfTradePrevention = prevention } }
    for change in [
        Amend.Change.to(amount: AmountLots(1), price: nil), .to(amount: nil, price: PriceTicks(1)),
        .to(amount: AmountLots(1), price: PriceTicks(1)), .to(amount: nil, price: nil), .reduce(by: AmountLots(1)),
        .reduce(by: AmountLots(2)), .replace(open: AmountLots(1), price: PriceTicks(1)),
        .replace(open: AmountLots(2), price: PriceTicks(1)), .replace(open: AmountLots(1), price: PriceTicks(2)),
    ] { vary { $0.action = .amend(Amend(target: id, change: change)) } }
    vary { $0.action = .cancel(id) }
    vary { $0.action = .cancel(OrderID(high: 1, low: 3)) }
    for owner in [nil, UserID(""), UserID("u")] {
        for side in [Side.bid, .ask, nil] { vary { $0.action = .cancelAll(CancelAll(owner: owner, side: side)) } }
    }
    for action in [Command.Action.halt, .resume, .expire] { vary { $0.action = action } }
    var digests: Set<Digest> = []
    for command in commands {
        for isLate in [false, true] {
            var book = OrderBook(state: MarketState(), completeness: .complete)
            book.execute(command, isLate: isLate)
            digests.insert(book.state.digest)
        }
    }
    #expect(digests.count == 2 * commands.count)
}

@Test func `the digest chains`() {
    var first = BookFixture()
    first.buy(1, at: 10)
    let once = first.book.state.digest
    first.execute(.expire)
    var second = BookFixture()
    second.execute(.expire)
    #expect(first.book.state.digest != second.book.state.digest)
    #expect(first.book.takeJournal().executions.map(\.digest) == [once, first.book.state.digest])
}
