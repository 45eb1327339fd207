import Foundation
import Postgres
import Store
import TestSupport

/// Nodes of one cluster: what `pgbook cluster init`, `pgbook serve` and `pgbook gossip` make of two databases.
final class RunningCluster {
    private(set) var nodes: [RunningNode] = []
    private let folder: URL
    private var authority: String { folder.appending(path: "authority").path }

    fileprivate init(names: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "pgbook-cluster-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Self.succeed(["cluster", "init", "--name", "test", authority])
        for name in names { try add(name) }
    }

    /// A node more, which is not started. The others know of it when they are started again.
    @discardableResult
    func add(_ name: String) throws -> RunningNode {
        try Self.succeed(["cluster", "add-node", name, "--host", "127.0.0.1:\(try freePort())", authority])
        let node = try RunningNode(name, configuration: "\(authority)/\(name)")
        nodes.append(node)
        return node
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private static func succeed(_ arguments: [String]) throws {
        let result = try Program.run(arguments)
        guard result.status == 0 else { throw TestFault("\(arguments): \(result.errors)") }
    }

    /// Until nothing waits, and all have executed the same.
    func becomeEqual() async throws {
        try await eventually("all nodes have executed the same") {
            let states = try nodes.map { try $0.value(RunningNode.state) }
            return Set(states).count == 1 && states[0].hasSuffix(" 0")
        }
        for node in nodes {
            let verified = try Program.run(["verify"], database: node.database.url(as: .node))
            guard verified.status == 0 else { throw TestFault("\(node.name): \(verified.output)\(verified.errors)") }
        }
    }
}

/// Starts two nodes, waits until both take orders, and requires that all processes end in good order.
func withCluster(_ body: (RunningCluster) async throws -> Void) async throws {
    let cluster = try RunningCluster(names: ["a", "b"])
    try cluster.nodes[0].database.addMarket("M", tick: "1", lot: "1")
    for node in cluster.nodes { try node.start() }
    for node in cluster.nodes {
        try await eventually("\(node.name) takes orders: \(node.errors)") { try node.isReady }
    }
    try await body(cluster)
    for node in cluster.nodes { try node.stop() }
}

/// A database with its server and its sidecar.
final class RunningNode {
    let name: String
    let database: TestDatabase
    private let connection: Connection
    private let configuration: String
    private var server: RunningProgram?
    private var sidecar: RunningProgram?

    /// Of all markets what must be equal everywhere, and how many commands wait.
    static let state = """
        SELECT (SELECT string_agg(m.symbol || s.seq || encode(s.digest, 'hex'), ',' ORDER BY m.symbol)
                FROM pgbook_data.market_state s JOIN pgbook_data.markets m USING (market)) || ' ' ||
               (SELECT count(*) FROM pgbook_data.inbox) + (SELECT count(*) FROM pgbook_data.outbox)
        """

    fileprivate init(_ name: String, configuration: String) throws {
        self.name = name
        self.configuration = configuration
        database = try TestDatabase()
        connection = try database.connection(as: .node)
    }

    func start() throws {
        try startSidecar()
        try startServer()
    }

    private func startServer() throws {
        server = try RunningProgram(["serve", "--roles", "matcher"], database: database.url(as: .node))
    }

    func restartServer() throws {
        server?.signal(SIGTERM)
        _ = try server?.result()
        try startServer()
    }

    func startSidecar() throws {
        sidecar = try RunningProgram(["gossip", "--config", configuration], database: database.url(as: .node))
    }

    func restartSidecar() throws {
        sidecar?.signal(SIGTERM)
        _ = try sidecar?.result()
        try startSidecar()
    }

    func killSidecar() {
        sidecar?.signal(SIGKILL)
        _ = try? sidecar?.result()
    }

    func stop() throws {
        for program in [server, sidecar].compactMap({ $0 }) {
            program.signal(SIGTERM)
            let result = try program.result()
            guard result.status == 0 else { throw TestFault("\(name): \(result.errors)") }
        }
    }

    var errors: String { (server?.errors ?? "") + (sidecar?.errors ?? "") }

    var isReady: Bool {
        get throws { try value("SELECT coalesce(bool_and(is_ready), false)::text FROM pgbook.cluster") == "true" }
    }

    func value(_ sql: String) throws -> String { try connection.execute(sql).one().decode(at: 0) }

    /// Places a limit order and returns its id.
    func place(_ side: String, _ amount: Int64, at price: Int64) throws -> String {
        try connection.execute(
            "SELECT pgbook.place_order('M', $1, $2::bigint, $3::bigint, user_id => $4)::text", side, amount, price, name
        ).one().decode(at: 0)
    }

    func status(of order: String) throws -> String {
        try connection.execute(
            "SELECT coalesce((SELECT status FROM pgbook.orders WHERE id = $1::text::uuid), 'unknown')", order
        ).one().decode(at: 0)
    }
}

private func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Bool in
            bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
        }
    }
    guard port else { throw TestFault("no port is free") }
    return Int(UInt16(bigEndian: address.sin_port))
}
