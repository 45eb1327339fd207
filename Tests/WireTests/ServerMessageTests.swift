import OrderBook
import Testing
import Wire

@Suite struct ServerMessageTests {
    private func text(_ message: some ServerMessage) -> String { String(decoding: message.encoded(), as: UTF8.self) }

    private func units() throws -> MarketUnits {
        try #require(MarketUnits(tick: ExactDecimal(parsing: "0.5"), lot: ExactDecimal(parsing: "0.001")))
    }

    @Test func `welcome, subscribed and error have the documented form`() throws {
        #expect(text(WelcomeMessage(userID: UserID("user#7"))) == #"{"type":"welcome","userId":"user#7"}"#)
        #expect(
            text(SubscribedMessage(securities: ["A", "B"])) == #"{"type":"subscribed","securities":["A","B"]}"#)
        #expect(
            text(
                ErrorMessage(
                    WireError(.unknownField, "field \"x\"\n is not known", field: "x"), clientOrderID: "c\u{1}"))
                == #"{"type":"error","code":"unknown_field","message":"field \"x\"\n is not known","field":"x","clientOrderId":"c\u0001"}"#
        )
        let id = try #require(OrderID("0195b2a4-7c00-7000-8000-00000000000a"))
        #expect(
            text(ErrorMessage(WireError(.init(.halted), "no"), id: id))
                == #"{"type":"error","code":"halted","message":"no","id":"0195b2a4-7c00-7000-8000-00000000000a"}"#)
    }

    @Test func `a book has exact decimals, best first, and the documented checksum`() throws {
        let book = BookMessage(
            security: "BTC-USD", units: try units(), seq: Seq(812), prevSeq: Seq(809),
            bids: [
                .init(price: PriceTicks(202), amount: AmountLots(1)),
                .init(price: PriceTicks(201), amount: AmountLots(1500)),
            ],
            asks: [.init(price: PriceTicks(203), amount: AmountLots(2000))])
        // zlib.crc32(b"101:0.001:101.5:2:100.5:1.5")
        #expect(book.checksum == 0xE145_AAB2)
        #expect(
            text(book)
                == #"{"type":"aggOrderBook","security":"BTC-USD","seq":812,"prevSeq":809,"checksum":\#(book.checksum),"aggOrderBook":{"ask":[{"price":101.5,"amount":2,"total":203}],"bid":[{"price":101,"amount":0.001,"total":0.101},{"price":100.5,"amount":1.5,"total":150.75}]}}"#
        )
    }

    @Test func `an empty book has checksum 0`() throws {
        let book = BookMessage(
            security: "X", units: try units(), seq: Seq(0), prevSeq: Seq(0), bids: [], asks: [])
        #expect(
            text(book)
                == #"{"type":"aggOrderBook","security":"X","seq":0,"prevSeq":0,"checksum":0,"aggOrderBook":{"ask":[],"bid":[]}}"#
        )
    }

    @Test func `levels beyond the tenth do not change the checksum`() throws {
        let levels = (0..<12).map { BookMessage.Level(price: PriceTicks(100 - $0), amount: AmountLots(1)) }
        var book = BookMessage(
            security: "X", units: try units(), seq: Seq(1), prevSeq: Seq(0), bids: levels, asks: [])
        let whole = book.checksum
        book.bids.removeLast(2)
        #expect(book.checksum == whole)
        book.bids.removeLast()
        #expect(book.checksum != whole)
    }

    @Test func `a trade shows the taker, in Unix milliseconds`() throws {
        let message = TradesMessage(
            security: "X", units: try units(),
            trades: [
                .init(
                    id: TradeID(3), time: Timestamp(1_700_000_000_123_999), user: UserID("ann"), side: .ask,
                    price: PriceTicks(203), amount: AmountLots(10))
            ])
        #expect(
            text(message)
                == #"{"type":"trades","trades":[{"userId":"ann","security":"X","time":1700000000123,"price":101.5,"amount":0.01,"total":1.015,"id":3,"side":"ask"}]}"#
        )
        #expect(Timestamp(-1).unixMilliseconds == -1)
        #expect(Timestamp(-1000).unixMilliseconds == -1)
        #expect(Timestamp(.min).unixMilliseconds == .min / 1000 - 1)
    }

    @Test func `an order event has its id, status, amounts, reason and client order id`() throws {
        let id = try #require(OrderID("0195b2a4-7c00-7000-8000-00000000000a"))
        #expect(
            text(
                OrderMessage(
                    id: id, security: "X", status: "refused", filled: .zero,
                    remaining: try units().decimal(AmountLots(1)),
                    reason: "off_tick", clientOrderID: "c"))
                == #"{"type":"order","id":"0195b2a4-7c00-7000-8000-00000000000a","security":"X","status":"refused","filled":0,"remaining":0.001,"reason":"off_tick","clientOrderId":"c"}"#
        )
    }

    @Test func `every message is JSON that our own parser reads back`() throws {
        let nasty = UserID("\"\\\u{7F}\u{0}\té😀")
        let value = try JSONValue.parse(WelcomeMessage(userID: nasty).encoded())
        #expect(
            value
                == .object([
                    .init(key: "type", value: .string("welcome")), .init(key: "userId", value: .string(nasty.rawValue)),
                ]))
    }

    @Test func `every outcome code is an error code`() {
        for outcome in OutcomeCode.allCases { #expect(ErrorCode(outcome).rawValue == outcome.name) }
    }
}
