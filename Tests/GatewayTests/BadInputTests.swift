import Gateway
import Postgres
import TestSupport
import Testing
import Wire

/// Whatever a client sends: an answer with its code, one line, and nothing stored.
extension GatewaySuites {
    @Suite struct BadInputTests {
        struct Bad: Sendable {
            var text: String
            var code: String
            var field: String?
            init(_ text: String, _ code: String, _ field: String? = nil) {
                self.text = text
                self.code = code
                self.field = field
            }

            /// A good order with one field replaced.
            static func order(_ field: String, _ value: String, _ code: String, names: String? = nil) -> Bad {
                let good = [
                    ("type", #""add""#), ("security", #""BTC-USD""#), ("side", #""bid""#), ("amount", "1"),
                    ("price", "90"),
                ]
                let fields = good.filter { $0.0 != field } + [(field, value)]
                return Bad(
                    "{" + fields.map { #""\#($0.0)":\#($0.1)"# }.joined(separator: ",") + "}", code, names ?? field)
            }
        }

        static let nobody = "00000000-0000-7000-8000-000000000000"
        static let table: [Bad] = [
            .order("price", "90.25", "off_tick"), .order("price", "0.00000000000000000001", "off_tick"),
            .order("amount", "0.0001", "off_lot"), .order("amount", "0.00000000000000000001", "off_lot"),
            .order("amount", "0", "not_positive"), .order("amount", "-1", "not_positive"),
            .order("price", "0", "not_positive"), .order("price", "-90", "not_positive"),
            .order("amount", #""NaN""#, "bad_value"), .order("amount", "1e400", "too_large"),
            .order("price", "1e400", "too_large"), .order("amount", "9223372036854775808", "too_large"),
            .order("amount", "1e37", "too_large"), .order("price", "9223372036854775808", "too_large"),
            .order("price", "1e37", "too_large"),
            .order("security", #""NONE""#, "unknown_market"), .order("security", #""HALTED""#, "halted"),
            .order("security", #""'; DROP TABLE pgbook_data.trades; --""#, "unknown_market"),
            .order("side", #""'; DROP TABLE pgbook_data.trades; --""#, "bad_value"),
            .order("amount", #""1; DROP TABLE pgbook_data.trades""#, "bad_value"),
            .order("clientOrderId", #""\u0000""#, "bad_value"),
            .order("colour", #""red""#, "unknown_field"),
            .order("timeInForce", #""gtd""#, "missing_field", names: "expires"),
            Bad(
                #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":90,"timeInForce":"gtd","expires":1}"#,
                "expired", "expires"),
            Bad("", "bad_json"), Bad("{", "bad_json"), Bad(#"{"type":"add""#, "bad_json"),
            Bad(#"{"type":"steal"}"#, "unknown_type", "type"), Bad(#"{"kind":"add"}"#, "missing_field", "type"),
            Bad(#"{"type":"delete","id":"42"}"#, "bad_id", "id"),
            Bad(#"{"type":"delete","id":"\#(nobody)"}"#, "unknown_order", "id"),
            Bad(#"{"type":"amend","id":"\#(nobody)","amount":1}"#, "unknown_order", "id"),
            Bad(#"{"type":"delete","id":"'; DROP TABLE pgbook_data.trades; --"}"#, "bad_id", "id"),
            Bad(#"{"type":"cancelAll","security":"NONE"}"#, "unknown_market", "security"),
        ]

        @Test func `every bad message is answered with its code and stores nothing`() async throws {
            try await RunningGateway.run(markets: ["BTC-USD", "HALTED"]) { gateway in
                let connection = try gateway.database.connection()
                try connection.execute("SELECT pgbook.halt_market('HALTED')")
                try await eventually("the market is halted") {
                    try connection.execute(
                        "SELECT is_halted FROM pgbook_data.market_state ORDER BY market DESC LIMIT 1"
                    )
                    .one().decode(at: 0)
                }
                let stored = try gateway.commandCount()
                let socket = try await gateway.connect()
                for (index, bad) in Self.table.enumerated() {
                    try await socket.send(bad.text)
                    try await eventually("\(bad.text) is answered") {
                        socket.messages.count { $0["type"] == .string("error") } > index
                    }
                    let error = try #require(socket.messages.last { $0["type"] == .string("error") })
                    #expect(error["code"] == .string(bad.code), "\(bad.text): \(error)")
                    #expect(error["field"]?.text == bad.field, "\(bad.text): \(error)")
                    #expect(error["message"]?.text?.isEmpty == false)
                    #expect(error["message"]?.text?.contains("\n") == false)
                }
                #expect(!socket.messages.contains { $0["type"] == .string("order") })
                #expect(try gateway.commandCount() == stored)
                // The socket is as good as before.
                try await socket.send(#"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":90}"#)
                _ = try await socket.first(type: "order", ["status": .string("open")])
            }
        }

        @Test func `a batch with a bad command in it enters the good ones`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                for amount in ["1", "0.0001", "2", "-1", "3"] {
                    try await socket.send(
                        #"{"type":"add","security":"BTC-USD","side":"bid","amount":\#(amount),"price":90}"#)
                }
                try await eventually("all are answered") {
                    socket.messages.count { $0["status"] == .string("open") } == 3
                        && socket.messages.count { $0["type"] == .string("error") } == 2
                }
                #expect(try gateway.commandCount() == 3)
            }
        }

        @Test func `a frame of 10 MB is refused with too_big and the socket closed with 1009`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                try? await socket.send([UInt8](repeating: UInt8(ascii: " "), count: 10_000_000))
                #expect(try await socket.first(type: "error")["code"] == .string("too_big"))
                try await eventually("it is closed") { socket.closeCode == 1009 && socket.isClosed }
            }
        }

        @Test(
            arguments: [
                ([0xFF, 0xFE], UInt8(1), true, "bad_utf8", 1007), ([0x7B, 0x7D], 2, true, "bad_json", 1003),
                ([0x7B, 0x7D], 1, false, "bad_json", 1002), ([0x7B, 0x7D], 0, true, "bad_json", 1002),
                ([0x7B, 0x7D], 5, true, "bad_json", 1002),
            ] as [([UInt8], UInt8, Bool, String, Int)])
        func `a frame that breaks the protocol is answered and the socket closed`(
            payload: [UInt8], opcode: UInt8, isMasked: Bool, code: String, closeCode: Int
        ) async throws {
            try await RunningGateway.run(hasMatcher: false) { gateway in
                let socket = try await gateway.connect()
                try await socket.send(payload, opcode: opcode, isMasked: isMasked)
                #expect(try await socket.first(type: "error")["code"] == .string(code))
                try await eventually("it is closed") { socket.closeCode == closeCode }
            }
        }

        @Test func `SQL in a text that may be anything is only text`() async throws {
            try await RunningGateway.run { gateway in
                let evil = "'; DROP TABLE pgbook_data.trades; --"
                let socket = try await gateway.connect()
                try await socket.send(
                    #"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":90,"clientOrderId":"\#(evil)"}"#
                )
                _ = try await socket.first(type: "order", ["status": .string("open"), "clientOrderId": .string(evil)])
                let body = #"{"userId":"\#(evil)","security":"BTC-USD","side":"ask","amount":1,"price":90}"#
                let answer = try await gateway.request("POST", "/orders", body: body)
                #expect(answer.status == 202)
                let trades = try await socket.first("the trade") { $0["trades"]?.elements.isEmpty == false }
                #expect(trades["trades"]?.elements.first?["userId"] == .string(evil))
            }
        }

        @Test func `random bytes harm nobody`() async throws {
            try await RunningGateway.run { gateway in
                let seed = UInt64.random(in: 0 ... .max)
                print("random frames with seed \(seed)")
                var state = seed
                let random: (Int) -> [UInt8] = { count in
                    (0..<count).map { _ in
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        return UInt8(truncatingIfNeeded: state >> 33)
                    }
                }
                for round in 0..<60 {
                    let socket = try await gateway.connect()
                    // Half of them arrive in good frames.
                    if round % 2 == 0 {
                        try? await socket.sendRaw(random(300))
                    } else {
                        try? await socket.send(random(100), opcode: random(1)[0] & 15, isFinal: round % 4 == 1)
                    }
                    socket.hangUp()
                }
                let healthy = try await gateway.connect()
                try await healthy.send(#"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":90}"#)
                _ = try await healthy.first(type: "order", ["status": .string("open")])
                #expect(try gateway.commandCount() == 1)
            }
        }

        @Test func `a message in fragments is one message, and pings are answered in between`() async throws {
            try await RunningGateway.run { gateway in
                let socket = try await gateway.connect()
                let text = Array(#"{"type":"add","security":"BTC-USD","side":"bid","amount":1,"price":90}"#.utf8)
                try await socket.send(Array(text[..<20]), opcode: 1, isFinal: false)
                try await socket.send([1, 2, 3], opcode: 9)
                try await socket.send(Array(text[20..<40]), opcode: 0, isFinal: false)
                try await socket.send(Array(text[40...]), opcode: 0)
                _ = try await socket.first(type: "order", ["status": .string("open")])
            }
        }
    }
}
