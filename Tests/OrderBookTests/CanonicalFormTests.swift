import Foundation
import OrderBook
import Testing

private func command(_ action: Command.Action, time: Int64 = 7, clientOrderID: String? = nil) -> Command {
    Command(
        id: OrderID("01890000-0000-7000-8000-00000000000a")!, time: Timestamp(time), market: "BTC-USD",
        user: UserID("u"), origin: "n1", clientOrderID: clientOrderID, action: action)
}

private let target = OrderID("01890000-0000-7000-8000-000000000001")!

private let forms: [(Command.Action, String, String)] = [
    (
        .place(Place(side: .bid, price: PriceTicks(5), amount: AmountLots(6))), #""amount":6,"#,
        #""kind":"place","market":"BTC-USD","origin":"n1","price":5,"side":"bid","time":7,"time_in_force":"gtc","user":"u""#
    ),
    (
        .place(
            Place(
                side: .ask, price: nil, amount: AmountLots(6), timeInForce: .gtd(expires: Timestamp(99)),
                postOnly: true,
                selfTradePrevention: .cancelOldest)), #""amount":6,"expires":99,"#,
        #""kind":"place","market":"BTC-USD","origin":"n1","post_only":true,"self_trade_prevention":"co","side":"ask","time":7,"time_in_force":"gtd","user":"u""#
    ),
    (
        .amend(Amend(target: target, change: .to(amount: AmountLots(3), price: nil))), #""amount":3,"#,
        #""kind":"amend","market":"BTC-USD","origin":"n1","target":"01890000-0000-7000-8000-000000000001","time":7,"user":"u""#
    ),
    (
        .amend(Amend(target: target, change: .reduce(by: AmountLots(3)))), #""by":3,"#,
        #""kind":"reduce","market":"BTC-USD","origin":"n1","target":"01890000-0000-7000-8000-000000000001","time":7,"user":"u""#
    ),
    (
        .amend(Amend(target: target, change: .replace(open: AmountLots(3), price: PriceTicks(4)))), "",
        #""kind":"replace","market":"BTC-USD","open":3,"origin":"n1","price":4,"target":"01890000-0000-7000-8000-000000000001","time":7,"user":"u""#
    ),
    (
        .cancel(target), "",
        #""kind":"cancel","market":"BTC-USD","origin":"n1","target":"01890000-0000-7000-8000-000000000001","time":7,"user":"u""#
    ),
    (
        .cancelAll(CancelAll(owner: UserID("w"), side: .ask)), "",
        #""kind":"cancel_all","market":"BTC-USD","origin":"n1","owner":"w","side":"ask","time":7,"user":"u""#
    ),
    (.halt, "", #""kind":"halt","market":"BTC-USD","origin":"n1","time":7,"user":"u""#),
]

@Test(arguments: forms)
func `a command has one canonical form`(action: Command.Action, before: String, after: String) throws {
    let text = String(decoding: command(action).canonicalBytes, as: UTF8.self)
    #expect(text == "{\(before)\"id\":\"01890000-0000-7000-8000-00000000000a\",\(after)}")
    // The JSON encoder of Foundation agrees about the order of the keys.
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let sorted = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    #expect(String(decoding: sorted, as: UTF8.self) == text)
}

@Test func `the canonical form is ASCII, and reads back`() throws {
    let text = "a\"b\\c/\u{0}\u{1f}\u{8}\u{c}\n\r\t\u{7f}é\u{2028}\u{ffff}😀"
    let bytes = command(.halt, clientOrderID: text).canonicalBytes
    #expect(bytes.allSatisfy { (0x20..<0x80).contains($0) })
    let form = String(decoding: bytes, as: UTF8.self)
    let escaped = #"a\"b\\c/\u0000\u001f\b\f\n\r\t"# + "\u{7f}" + #"\u00e9\u2028\uffff\ud83d\ude00"#
    #expect(form.contains("\"client_order_id\":\"\(escaped)\""))
    let object = try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    #expect((object["client_order_id"] as? String).map { Array($0.utf8) } == Array(text.utf8))
}

@Test func `commands are executed by time, and at one time by their bytes`() {
    let early = command(.halt, time: 6)
    let cancel = command(.cancel(target))
    let halt = command(.halt)
    #expect([halt, cancel, early].sorted(by: Command.executesBefore) == [early, cancel, halt])
    #expect(!Command.executesBefore(halt, halt))
}
