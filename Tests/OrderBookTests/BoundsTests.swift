import OrderBook
import Testing

/// The one table of what may come from outside.
@Suite struct BoundsTests {
    @Test func `sums and differences of times stay where 64 bits end`() {
        let (first, last) = (Bounds.times.lowerBound, Bounds.times.upperBound)
        #expect(last.microseconds(since: first) == Bounds.spanMax)
        #expect(first + Bounds.spanMax == last)
        #expect(last - Bounds.spanMax == first)
        let (least, most) = (Timestamp(.min), Timestamp(.max))
        #expect(most + 1 == most)
        #expect(least + -1 == least)
        #expect(least - 1 == least)
        #expect(most - -1 == most)
        #expect(Timestamp(0) - .min == most)
        #expect(Timestamp(-1) + .min == least)
        #expect(most.microseconds(since: least) == .max)
        #expect(least.microseconds(since: most) == .min)
        #expect(most.microseconds(since: most) == 0)
    }

    @Test(arguments: [
        ("", "has 1 to 64 bytes of UTF-8"), (String(repeating: "x", count: 65), "not 65"),
        (String(repeating: "é", count: 33), "not 66"), ("a\u{0}b", "zero byte"), ("a\nb", "U+000A"),
        ("a\u{7F}", "U+007F"), ("\u{85}", "U+0085"), ("ann\u{AD}", "U+00AD"), ("ann\u{200B}", "U+200B"),
        ("\u{202E}nna", "U+202E"), ("a\u{2066}b", "U+2066"), ("\u{FEFF}ann", "U+FEFF"), ("ann\u{FE0F}", "U+FE0F"),
        ("ann\u{E0001}", "U+E0001"), ("\u{3164}", "U+3164"), ("a\u{2029}", "U+2029"),
    ])
    func `a user id is refused in words that name what is wrong`(text: String, words: String) {
        #expect(Bounds.fault(ofUser: text)?.contains(words) == true, "\(Bounds.fault(ofUser: text) ?? "taken")")
    }

    @Test(arguments: [
        "a", "ann", "user#bam5v8cqm2izz8jg", "o'neill; drop table", "Zoë", "李雷", "😀", " x ",
        String(repeating: "é", count: 32),
        String(repeating: "x", count: 64),
    ])
    func `a user id that everybody can see is taken`(text: String) {
        #expect(Bounds.fault(ofUser: text) == nil)
        #expect(Bounds.fault(ofClientOrderID: text) == nil)
    }

    @Test func `a client order id is bounded, and may hold what its user wants`() {
        #expect(Bounds.fault(ofClientOrderID: "a\u{200B}\n") == nil)
        #expect(Bounds.fault(ofClientOrderID: "")?.contains("1 to 64 bytes") == true)
        #expect(Bounds.fault(ofClientOrderID: String(repeating: "é", count: 33))?.contains("not 66") == true)
        #expect(Bounds.fault(ofClientOrderID: "\u{0}")?.contains("zero byte") == true)
    }

    @Test func `a symbol is what the table of markets takes`() {
        for text in ["A", "BTC-USD", "a.b_c/d:e-f", "0x", String(repeating: "x", count: 32)] {
            #expect(Bounds.isSymbol(text), "\(text)")
        }
        for text in ["", "-A", ".x", "a b", "ü", "a\u{0}", String(repeating: "x", count: 33), "A\n"] {
            #expect(!Bounds.isSymbol(text), "\(text)")
        }
    }

    /// What follows from values at the bounds fits the types that hold it.
    @Test func `what the bounds allow can be summed up`() {
        let largest = Notional(price: PriceTicks(Bounds.priceMax), amount: AmountLots(Bounds.amountMax))
        #expect(largest.rawValue == 1_000_000_000_000_000_000_000_000_000_000_000_000)
        #expect(!Bounds.valueMax.multipliedReportingOverflow(by: 100_000_000).overflow)
        #expect(!Bounds.unitDigits.upperBound.multipliedReportingOverflow(by: Bounds.unitDigits.upperBound).overflow)
        #expect(!Int128(Int64.max).multipliedReportingOverflow(by: Bounds.unitDigits.upperBound).overflow)
        #expect(Bounds.numberMax < Int64.max - 1_000_000_000_000)
    }

    @Test func `a command beyond the bounds says what is wrong`() {
        let good = Command(
            id: OrderID(high: 1, low: 2), time: Timestamp(0), market: "M", user: UserID("ann"), origin: "a",
            clientOrderID: "c",
            action: .place(Place(side: .bid, price: PriceTicks(1), amount: AmountLots(1))))
        #expect(good.fault == nil)
        var faults: [(Command, String)] = []
        func with(_ words: String, _ change: (inout Command) -> Void) {
            var command = good
            change(&command)
            faults.append((command, words))
        }
        with("outside the years") { $0.time = Timestamp(.max) }
        with("outside the years") { $0.time = Bounds.times.upperBound + 1 }
        with("a user id") { $0.user = UserID("") }
        with("a client order id") { $0.clientOrderID = String(repeating: "x", count: 65) }
        with("no market's symbol") { $0.market = "no market" }
        with("no node's name") { $0.origin = String(repeating: "n", count: 33) }
        for amount in [0, -1, Int64.min, Bounds.amountMax + 1] {
            with("an amount of \(amount) lots") {
                $0.action = .place(Place(side: .bid, price: nil, amount: AmountLots(amount)))
            }
            with("an amount of \(amount) lots") {
                $0.action = .amend(Amend(target: good.id, change: .reduce(by: AmountLots(amount))))
            }
            with("an amount of \(amount) lots") {
                $0.action = .amend(Amend(target: good.id, change: .to(amount: AmountLots(amount), price: nil)))
            }
        }
        for price in [0, -1, Int64.min, Bounds.priceMax + 1] {
            with("a price of \(price) ticks") {
                $0.action = .place(Place(side: .ask, price: PriceTicks(price), amount: AmountLots(1)))
            }
            with("a price of \(price) ticks") {
                let change = Amend.Change.replace(open: AmountLots(1), price: PriceTicks(price))
                $0.action = .amend(Amend(target: good.id, change: change))
            }
        }
        with("the expiry") {
            $0.action = .place(
                Place(
                    side: .bid, price: PriceTicks(1), amount: AmountLots(1), timeInForce: .gtd(expires: Timestamp(.max))
                ))
        }
        with("a user id") { $0.action = .cancelAll(CancelAll(owner: UserID("\u{202E}"))) }
        for (command, words) in faults {
            #expect(command.fault?.contains(words) == true, "\(words): \(command.fault ?? "taken")")
        }
    }
}
