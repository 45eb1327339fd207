import Foundation
import OrderBook
import Postgres
import Store
import TestSupport
import Testing
import Wire

/// A way by which a command gets in, and by which what it came to is learned.
private protocol Road: Sendable {
    var name: String { get }
    /// Whose orders it speaks of.
    var user: String { get }
    /// The code that a command came to; nil where this road has no words for it.
    func code(of command: RoadCase.Command, _ ids: [RoadCase.Target: String]) async throws -> String?
}

extension RunningGateway {
    /// What an accepted command came to, once it is executed.
    fileprivate func outcome(of id: String) async throws -> String {
        var code: String?
        try await eventually("\(id) is executed") {
            code = try RoadSetup.code(database, of: id)
            return code != nil
        }
        return try #require(code)
    }
}

// MARK: - SQL

private struct SQLRoad: Road {
    let name = "SQL"
    let gateway: RunningGateway
    let user = TestServer.Login.trader.rawValue

    func code(of command: RoadCase.Command, _ ids: [RoadCase.Target: String]) async throws -> String? {
        let (sql, values) = RoadSQL.statement(command, ids)
        do {
            let trader = try gateway.database.connection(as: .trader)
            let id: String = try trader.execute("SELECT \(sql)::text", values).one().decode(at: 0)
            return try await gateway.outcome(of: id)
        } catch let error as PostgresError {
            guard let code = RoadSQL.code(error) else { throw error }
            return code
        }
    }
}

// MARK: - HTTP

private struct HTTPRoad: Road {
    let name: String
    let gateway: RunningGateway
    let user = "road-user"

    func code(of command: RoadCase.Command, _ ids: [RoadCase.Target: String]) async throws -> String? {
        let answer: RunningGateway.Answer
        switch command {
        case .place(let place): answer = try await send("POST", place.json + [("userId", user)])
        case .cancel(let target): answer = try await send("DELETE", [("id", ids[target]!), ("userId", user)])
        default: return nil
        }
        let body = try JSONValue.parse(Array(answer.body.utf8), limits: WireLimits())
        if let code = body["code"]?.text { return code }
        if let reason = body["reason"]?.text { return reason }
        // Of a cancel the answer says only that it is in the log.
        let id: String = try await offThePool { [database = gateway.database] in
            try database.connection().execute(
                "SELECT id::text FROM pgbook_data.commands ORDER BY accepted_at DESC, id DESC LIMIT 1"
            ).one().decode(at: 0)
        }
        return try await gateway.outcome(of: body["id"]?.text ?? id)
    }

    private func send(_ method: String, _ members: [(String, String)]) async throws -> RunningGateway.Answer {
        try await gateway.request(
            method, "/orders", body: object(members), headers: ["Content-Type: application/json"])
    }
}

/// Members whose values are JSON already stand as they are: `true`, and numbers of milliseconds.
private func object(_ members: [(String, String)]) -> String {
    "{"
        + members.map { key, value in
            let isPlain = key == "postOnly" || key == "expires"
            return "\"\(key)\":" + (isPlain ? value : "\"\(value)\"")
        }.joined(separator: ",") + "}"
}

extension RoadCase.Place {
    fileprivate var json: [(String, String)] {
        var members = [("security", market), ("side", side), ("amount", amount)]
        if let price { members.append(("price", price)) }
        if let timeInForce { members.append(("timeInForce", timeInForce)) }
        if let expiresIn {
            members.append(("expires", String(Int((Date().timeIntervalSince1970 + Double(expiresIn)) * 1_000))))
        }
        if postOnly { members.append(("postOnly", "true")) }
        if let selfTradePrevention { members.append(("selfTradePrevention", selfTradePrevention)) }
        if let clientOrderID { members.append(("clientOrderId", clientOrderID)) }
        return members
    }
}

// MARK: - WebSocket

private struct SocketRoad: Road {
    let name: String
    let socket: TestSocket
    let user: String

    init(_ name: String, _ gateway: RunningGateway) async throws {
        self.name = name
        socket = try await gateway.connect()
        user = try #require(try await socket.first(type: "welcome")["userId"]?.text)
    }

    func code(of command: RoadCase.Command, _ ids: [RoadCase.Target: String]) async throws -> String? {
        let members: [(String, String)]
        switch command {
        case .place(let place): members = [("type", "add")] + place.json
        case .amend(let target, let amount, let price):
            members =
                [("type", "amend"), ("id", ids[target]!)] + (amount.map { [("amount", $0)] } ?? [])
                + (price.map { [("price", $0)] } ?? [])
        case .cancel(let target): members = [("type", "delete"), ("id", ids[target]!)]
        case .cancelAll(let market): members = [("type", "cancelAll"), ("security", market)]
        default: return nil
        }
        let before = socket.messages.count
        try await socket.send(object(members))
        var code: String?
        try await eventually("an answer to \(members)") {
            for message in socket.messages.dropFirst(before) {
                if message["type"] == .string("error") { code = message["code"]?.text }
                if message["type"] == .string("order"), message["status"] == .string("refused") {
                    code = message["reason"]?.text
                }
            }
            return code != nil
        }
        return code
    }
}

// MARK: - CLI

private struct CommandLineRoad: Road {
    let name = "CLI"
    let gateway: RunningGateway
    let user = TestServer.Login.trader.rawValue

    func code(of command: RoadCase.Command, _ ids: [RoadCase.Target: String]) async throws -> String? {
        let (words, url) = (words(command, ids), try gateway.database.url(as: .trader))
        let errors = try await offThePool { try run(words, url) }
        // pgbook: refused (code): …
        return errors.firstMatch(of: /refused \(([a-z_]+)\)/).map { String($0.1) } ?? errors
    }

    private func words(_ command: RoadCase.Command, _ ids: [RoadCase.Target: String]) -> [String] {
        switch command {
        case .place(let place):
            var words = ["place", place.side, "--", place.amount, place.market]
            var options: [String] = []
            if let price = place.price { options += ["--price", price] }
            if let timeInForce = place.timeInForce { options += ["--tif", timeInForce] }
            if let expiresIn = place.expiresIn {
                options += ["--expires", Date(timeIntervalSinceNow: Double(expiresIn)).ISO8601Format()]
            }
            if place.postOnly { options += ["--post-only"] }
            if let prevention = place.selfTradePrevention { options += ["--stp", prevention] }
            if let clientOrderID = place.clientOrderID { options += ["--client-order-id", clientOrderID] }
            words.insert(contentsOf: options, at: 1)
            return words
        case .amend(let target, let amount, let price):
            return ["amend", ids[target]!] + (amount.map { ["--amount", $0] } ?? [])
                + (price.map { ["--price", $0] } ?? [])
        case .reduce(let target, let by): return ["amend", ids[target]!, "--reduce", by]
        case .cancel(let target): return ["cancel", ids[target]!]
        case .cancelAll(let market): return ["cancel-all", market]
        case .halt(let market): return ["market", "halt", market]
        case .resume(let market): return ["market", "resume", market]
        }
    }
}

/// Runs the built program, which lies beside the test bundle; returns what it said on standard error.
private func run(_ words: [String], _ database: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "pgbook")
    process.arguments = words
    process.environment = ["DATABASE_URL": database, "PATH": "/usr/bin:/bin"]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return said
}

// MARK: - The rule

extension GatewaySuites {
    @Suite struct RefusalRoadTests {
        /// Whether the server executes what it logs in one transaction, or commands wait in the inbox.
        @Test(arguments: [true, false])
        func `what one road refuses every road refuses, with the same code, and nothing changes`(executesAtOnce: Bool)
            async throws
        {
            try await RunningGateway.run(markets: [], executesAtOnce: executesAtOnce) { gateway in
                try await offThePool {
                    try RoadSetup.addMarkets(gateway.database)
                    try RoadSetup.addImportedMarket(gateway.database)
                }
                let executor = executesAtOnce ? "direct" : "inbox"
                var roads: [any Road] = [
                    HTTPRoad(name: "HTTP, \(executor)", gateway: gateway),
                    try await SocketRoad("WebSocket, \(executor)", gateway),
                ]
                if !executesAtOnce { roads += [SQLRoad(gateway: gateway), CommandLineRoad(gateway: gateway)] }
                var setups: [String: RoadSetup] = [:]
                for road in roads where setups[road.user] == nil {
                    setups[road.user] = try await offThePool { [user = road.user] in
                        try RoadSetup(gateway.database, user: user)
                    }
                }
                try await offThePool { try RoadSetup.halt(gateway.database) }
                try await eventually("all is executed") { try RoadSetup.waiting(gateway.database) == 0 }
                // The gateway must have met the markets.
                try await eventually("the markets are known") {
                    try await gateway.get("/book?security=OLD").status != 503
                }
                let before = try RoadSetup.book(gateway.database)
                for road in roads {
                    for refused in RoadCase.all {
                        let code = try await road.code(of: refused.command, setups[road.user]!.ids)
                        guard let code else { continue }
                        #expect(
                            code == refused.code.name,
                            "\(road.name): \(refused.commandName), \(refused): \(code)")
                    }
                }
                #expect(try RoadSetup.book(gateway.database) == before)
            }
        }
    }
}
