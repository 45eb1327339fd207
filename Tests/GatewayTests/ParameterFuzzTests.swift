import Foundation
import TestSupport
import Testing

extension GatewaySuites {
    /// Every route with every parameter, and values that nobody means.
    @Suite struct ParameterFuzzTests {
        private static let routes: [(path: String, parameters: [String])] = [
            ("/book", ["security", "depth"]), ("/trades", ["security", "limit"]),
            ("/candles", ["security", "interval", "from", "to", "fill", "limit", "tz"]), ("/orders", ["id", "limit"]),
            ("/health", ["x"]), ("/ready", ["x"]), ("/metrics", ["x"]), ("/", ["x"]), ("/ws", ["x"]),
        ]

        private static let extremes = [
            "", "0", "-0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
            "18446744073709551615", "340282366920938463463374607431768211456", "1e999999999", "-1e-5", "NaN",
            "infinity",
            "0x7f", "1.5", "%2D1", "+1", "%2B1", "%00", "BTC-USD%00", "%0D%0AX%3A1", "%C3%28", "%E2%80%AE", "%FF%FE",
            "%",
            "%2", "%zz", "BTC-USD", "btc-usd", "1970-01-01", "0000-01-01", "9999-12-31T23:59:59Z", "10000-01-01",
            "-0001-01-01T00:00:00Z", "2026-02-30", "1w", "1M", "none", "previous", "..%2F..", "'%20or%201=1--",
            "253402300799999", "253402300800000", "-62135596800000", "-62135596800001", "1;drop", "%F0%9F%98%80",
            String(repeating: "9", count: 3_000), String(repeating: "a", count: 3_000),
        ]

        private func fill(_ path: String, _ parameters: [(String, String)]) -> String {
            path + "?" + parameters.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        }

        private func ask(_ gateway: RunningGateway, _ method: String, _ path: String, body: String = "") async throws {
            let answer = try await gateway.request(
                method, path, body: body, headers: ["Content-Type: application/json"])
            #expect(answer.status >= 200 && answer.status < 500, "\(method) \(path.prefix(300)): \(answer.head)")
        }

        @Test func `no value of a parameter ends the server, and none is its fault`() async throws {
            try await RunningGateway.run { gateway in
                for route in Self.routes {
                    for name in route.parameters {
                        for (index, value) in Self.extremes.enumerated() {
                            // Alone, and in turn beside values that are right.
                            try await ask(gateway, "GET", fill(route.path, [(name, value)]))
                            guard index % 3 == 0 else { continue }
                            let others = [("security", "BTC-USD"), ("interval", "1m"), ("from", "0"), ("to", "60000")]
                            let rest = others.filter { $0.0 != name && route.parameters.contains($0.0) }
                            try await ask(gateway, "GET", fill(route.path, rest + [(name, value)]))
                        }
                    }
                }
                for value in Self.extremes {
                    try await ask(gateway, "GET", "/orders/\(value)")
                    try await ask(gateway, "GET", "/\(value)")
                }
                #expect(try await gateway.get("/health").status == 200)
            }
        }

        @Test func `no mixture of values ends the server`() async throws {
            let seed = UInt64.random(in: 0 ... .max)
            print("seed \(seed)")
            try await RunningGateway.run { gateway in
                var state = seed
                func next(_ bound: Int) -> Int {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Int(truncatingIfNeeded: state >> 33) % bound
                }
                let methods = ["GET", "GET", "GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"]
                for _ in 0..<400 {
                    let route = Self.routes[next(Self.routes.count)]
                    let parameters = route.parameters.filter { _ in next(3) > 0 }.map { name in
                        (
                            name,
                            next(4) == 0
                                ? "\(Int64(truncatingIfNeeded: state))" : Self.extremes[next(Self.extremes.count)]
                        )
                    }
                    try await ask(gateway, methods[next(methods.count)], fill(route.path, parameters))
                }
                #expect(try await gateway.get("/health").status == 200)
            }
        }

        @Test func `no body of an order ends the server`() async throws {
            let numbers = [
                "1e999999999", "-1e999999999", "1e-999999999", "0", "-1", "9223372036854775807", "9223372036854775808",
                "99999999999999999999999999999999999999", "999999999999999999999999999999999999999", "0.1e-38",
                "\"1e400\"", "\"NaN\"", "\"\"", "null", "true", "[]", "{}", "\"\\u0000\"",
                String(repeating: "9", count: 10_000), "1." + String(repeating: "0", count: 10_000) + "1",
                String(repeating: "[", count: 8_000),
            ]
            let names = [
                "\"\"", "\"\\u0000\"", "\"\\u202e\"", "\"\\ud800\"", "\"\(String(repeating: "é", count: 33))\"",
                "\"\(String(repeating: "x", count: 65))\"", "1", "null", "\"a\\nb\"", "\"ann\\u200b\"",
            ]
            try await RunningGateway.run(executesAtOnce: true) { gateway in
                func order(_ field: String, _ value: String) -> String {
                    var fields = [
                        "userId": "\"ann\"", "security": "\"BTC-USD\"", "side": "\"bid\"", "amount": "1",
                        "price": "100",
                    ]
                    if field == "expires" { fields["timeInForce"] = "\"gtd\"" }
                    fields[field] = value
                    return "{" + fields.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
                }
                for field in ["amount", "price", "expires"] {
                    for number in numbers { try await ask(gateway, "POST", "/orders", body: order(field, number)) }
                }
                for field in ["userId", "security", "side", "clientOrderId", "timeInForce", "selfTradePrevention"] {
                    for name in names { try await ask(gateway, "POST", "/orders", body: order(field, name)) }
                }
                for body in ["", "{", "[]", "\u{FEFF}{}", String(repeating: "[", count: 8_000), "{\"id\":\"\"}"] {
                    try await ask(gateway, "POST", "/orders", body: body)
                    try await ask(gateway, "DELETE", "/orders", body: body)
                }
                // It goes on.
                let answer = try await gateway.request(
                    "POST", "/orders", body: order("amount", "1"), headers: ["Content-Type: application/json"])
                #expect(answer.status == 200 && answer.body.contains("\"open\""), "\(answer)")
            }
        }
    }
}
