import OrderBook
import Testing
import Wire

@Suite struct ClientMessageTests {
    private let id = "0195b2a4-7c00-7000-8000-00000000000a"

    private func parse(_ text: String) throws -> ClientMessage { try ClientMessage.parse(Array(text.utf8)) }

    @Test func `an add carries every option`() throws {
        let message = try parse(
            #"""
            {"type":"add","security":"BTC-USD","side":"ask","execType":"limit","amount":0.10,"price":"101.50",
             "timeInForce":"gtd","expires":1700000000000,"postOnly":true,"selfTradePrevention":"cb","clientOrderId":"a-1"}
            """#)
        let expected = AddOrder(
            security: "BTC-USD", side: .ask, execType: .limit, amount: try ExactDecimal(parsing: "0.1"),
            price: try ExactDecimal(parsing: "101.5"), timeInForce: .gtd, expires: Timestamp(1_700_000_000_000_000),
            postOnly: true, selfTradePrevention: .cancelBoth, clientOrderID: "a-1")
        #expect(message == .add(expected))
    }

    @Test func `an add without a price is an immediate order`() throws {
        let message = try parse(#"{"type":"add","security":"X","side":"bid","amount":"2"}"#)
        #expect(message == .add(AddOrder(security: "X", side: .bid, execType: .market, amount: ExactDecimal(2))))
        let priced = try parse(#"{"type":"add","security":"X","side":"bid","amount":2,"price":3}"#)
        #expect(
            priced
                == .add(
                    AddOrder(
                        security: "X", side: .bid, execType: .limit, amount: ExactDecimal(2), price: ExactDecimal(3))))
    }

    @Test func `every other message is read`() throws {
        let order = try #require(OrderID(id))
        #expect(
            try parse(#"{"type":"amend","id":"\#(id)","amount":5}"#)
                == .amend(AmendOrder(id: order, amount: ExactDecimal(5))))
        #expect(
            try parse(#"{"type":"amend","id":"\#(id)","price":"7"}"#)
                == .amend(AmendOrder(id: order, price: ExactDecimal(7))))
        #expect(try parse(#"{"id":"\#(id.uppercased())","type":"delete"}"#) == .delete(order))
        #expect(
            try parse(#"{"type":"cancelAll","security":"X","side":"bid"}"#)
                == .cancelAll(CancelOrders(security: "X", side: .bid)))
        #expect(try parse(#"{"type":"cancelAll","security":"X"}"#) == .cancelAll(CancelOrders(security: "X")))
        #expect(
            try parse(#"{"type":"subscribe","securities":["X","Y","X"]}"#) == .subscribe(securities: ["X", "Y"]))
        #expect(try parse(#"{"type":"subscribe","securities":[]}"#) == .subscribe(securities: []))
        #expect(try parse(#"{"type":"auth","token":"secret"}"#) == .auth(token: "secret"))
        #expect(try parse(#"{"type":"cancelOnDisconnect"}"#) == .cancelOnDisconnect(true))
        #expect(try parse(#"{"type":"cancelOnDisconnect","enabled":false}"#) == .cancelOnDisconnect(false))
    }

    @Test func `null counts as absent, and quoted SQL is only text`() throws {
        let message = try parse(
            #"{"type":"add","security":"'; DROP TABLE trades; --","side":"bid","amount":1,"price":null}"#)
        #expect(
            message
                == .add(
                    AddOrder(
                        security: "'; DROP TABLE trades; --", side: .bid, execType: .market, amount: ExactDecimal(1))))
    }

    /// What is wrong, its code, and the field it names.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var text: String
        var code: String
        var field: String?
        init(_ text: String, _ code: String, _ field: String? = nil) {
            self.text = text
            self.code = code
            self.field = field
        }
        var testDescription: String { String(text.prefix(60)) }
    }

    @Test(arguments: [
        Refusal("", "bad_json"), Refusal("  ", "bad_json"), Refusal("[]", "bad_json"), Refusal("7", "bad_json"),
        Refusal("null", "bad_json"), Refusal("{", "bad_json"), Refusal("{}", "missing_field", "type"),
        Refusal("{}{}", "bad_json"), Refusal(#"{"type":7}"#, "bad_value", "type"),
        Refusal(#"{"type":"add","type":"add"}"#, "bad_json", "type"),
        Refusal(#"{"type":"buy"}"#, "unknown_type", "type"), Refusal(#"{"type":""}"#, "unknown_type", "type"),
        Refusal(#"{"type":"delete"}"#, "missing_field", "id"), Refusal(#"{"type":"delete","id":5}"#, "bad_value", "id"),
        Refusal(#"{"type":"delete","id":"5"}"#, "bad_id", "id"),
        Refusal(#"{"type":"delete","id":"'; DROP TABLE trades; --"}"#, "bad_id", "id"),
        Refusal(
            #"{"type":"delete","id":"0195b2a4-7c00-7000-8000-00000000000a","force":true}"#, "unknown_field", "force"),
        Refusal(#"{"type":"amend","id":"0195b2a4-7c00-7000-8000-00000000000a"}"#, "missing_field", "amount"),
        Refusal(#"{"type":"subscribe"}"#, "missing_field", "securities"),
        Refusal(#"{"type":"subscribe","securities":"X"}"#, "bad_value", "securities"),
        Refusal(#"{"type":"subscribe","securities":[1]}"#, "bad_value", "securities"),
        Refusal(#"{"type":"subscribe","securities":[null]}"#, "missing_field", "securities"),
        Refusal(#"{"type":"subscribe","securities":[""]}"#, "bad_value", "securities"),
        Refusal(#"{"type":"auth","token":""}"#, "bad_value", "token"),
        Refusal(#"{"type":"cancelOnDisconnect","enabled":"yes"}"#, "bad_value", "enabled"),
    ])
    func `a malformed message is refused with its code and field`(refusal: Refusal) throws {
        let error = try #require(throws: WireError.self) { try parse(refusal.text) }
        #expect(error.code.rawValue == refusal.code, "\(error.message)")
        #expect(error.field == refusal.field)
        #expect(!error.message.contains("\n"))
    }

    @Test(arguments: [
        Refusal(#""side":"buy""#, "bad_value", "side"), Refusal(#""side":true"#, "bad_value", "side"),
        Refusal(#""side":null"#, "missing_field", "side"), Refusal(#""security":null"#, "missing_field", "security"),
        Refusal(#""security":5"#, "bad_value", "security"), Refusal(#""security":"a\u0000b""#, "bad_value", "security"),
        Refusal(#""security":"\#(String(repeating: "x", count: 65))""#, "bad_value", "security"),
        Refusal(#""amount":null"#, "missing_field", "amount"), Refusal(#""amount":true"#, "bad_value", "amount"),
        Refusal(#""amount":[1]"#, "bad_value", "amount"), Refusal(#""amount":"NaN""#, "bad_value", "amount"),
        Refusal(#""amount":NaN"#, "bad_json"), Refusal(#""amount":01"#, "bad_json"),
        Refusal(#""amount":1e400"#, "too_large", "amount"), Refusal(#""amount":"-1e400""#, "too_large", "amount"),
        Refusal(#""amount":1e-400"#, "off_lot", "amount"), Refusal(#""price":1e-400"#, "off_tick", "price"),
        Refusal(#""amount":"1; DROP TABLE trades""#, "bad_value", "amount"),
        Refusal(#""price":null"#, "missing_field", "price"), Refusal(#""execType":"stop""#, "bad_value", "execType"),
        Refusal(#""execType":"market""#, "bad_value", "price"),
        Refusal(#""execType":"market","price":null,"timeInForce":"gtd""#, "bad_value", "timeInForce"),
        Refusal(#""execType":"market","price":null,"postOnly":true"#, "bad_value", "postOnly"),
        Refusal(#""timeInForce":"day""#, "bad_value", "timeInForce"),
        Refusal(#""timeInForce":"ioc","postOnly":true"#, "bad_value", "postOnly"),
        Refusal(#""timeInForce":"gtd""#, "missing_field", "expires"), Refusal(#""expires":1"#, "bad_value", "expires"),
        Refusal(#""timeInForce":"gtd","expires":1.5"#, "bad_value", "expires"),
        Refusal(#""timeInForce":"gtd","expires":9223372036854775807"#, "bad_value", "expires"),
        Refusal(#""postOnly":1"#, "bad_value", "postOnly"),
        Refusal(#""selfTradePrevention":"x""#, "bad_value", "selfTradePrevention"),
        Refusal(#""clientOrderId":"""#, "bad_value", "clientOrderId"),
        Refusal(#""user":"me""#, "unknown_field", "user"),
        Refusal(#""Amount":1"#, "unknown_field", "Amount"),
    ])
    func `a bad field of an add is refused with its code and name`(refusal: Refusal) throws {
        // A good order, with the fields under test put in the place of its own.
        var fields: [(String, String)] = [
            ("type", #""add""#), ("security", #""X""#), ("side", #""bid""#), ("execType", #""limit""#), ("amount", "1"),
            ("price", "2"),
        ]
        fields.removeAll { refusal.text.contains("\"\($0.0)\":") }
        let text = "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + ",\(refusal.text)}"
        let error = try #require(throws: WireError.self) { try parse(text) }
        #expect(error.code.rawValue == refusal.code, "\(error.message)")
        #expect(error.field == refusal.field)
    }

    @Test func `a number too long for a row still travels exactly, for the database to refuse`() throws {
        let text =
            #"{"type":"add","security":"X","side":"bid","amount":9223372036854775808,"price":0.00000000000000000001}"#
        guard case .add(let order) = try parse(text) else { throw WireError(.badValue, "not an add") }
        #expect(order.amount.description == "9223372036854775808")
        #expect(order.price?.description == "0.00000000000000000001")
    }

    @Test func `the body of an HTTP order is an add with its user`() throws {
        let body = try AddOrderBody.parse(
            Array(#"{"userId":"ann","security":"X","side":"bid","amount":1,"price":2}"#.utf8))
        #expect(body.userID == UserID("ann"))
        #expect(body.order.price == ExactDecimal(2))
        let anonymous = try AddOrderBody.parse(Array(#"{"security":"X","side":"bid","amount":1,"price":2}"#.utf8))
        #expect(anonymous.userID == nil)
        let error = try #require(throws: WireError.self) {
            try AddOrderBody.parse(Array(#"{"type":"delete","security":"X","side":"bid","amount":1}"#.utf8))
        }
        #expect(error.code == .unknownType && error.field == "type")
        let delete = try DeleteOrderBody.parse(Array(#"{"id":"\#(id)","userId":"ann"}"#.utf8))
        #expect(delete == DeleteOrderBody(id: try #require(OrderID(id)), userID: UserID("ann")))
    }
}
