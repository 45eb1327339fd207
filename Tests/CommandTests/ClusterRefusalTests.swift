import OrderBook
import Postgres
import Store
import TestSupport
import Testing

/// In a cluster commands enter by `pgbook_data.enter` at every entrance, so SQL speaks for all.
@Suite struct ClusterRefusalTests {
    private func give(_ command: RoadCase.Command, _ ids: [RoadCase.Target: String], _ trader: Connection) throws
        -> String
    {
        let (sql, values) = RoadSQL.statement(command, ids)
        return try trader.execute("SELECT \(sql)::text", values).one().decode(at: 0)
    }

    @Test func `what a node alone refuses a cluster refuses, with the same code, and all nodes stay equal`()
        async throws
    {
        try await withCluster { cluster in
            let node = cluster.nodes[0].database
            try RoadSetup.addMarkets(node, named: ["X", "HALTED", "EMPTY"])
            let setup = try RoadSetup(node, user: TestServer.Login.trader.rawValue, market: "X")
            try RoadSetup.halt(node)
            try await eventually("all is executed") { try RoadSetup.waiting(node) == 0 }
            let trader = try node.connection(as: .trader)
            for refused in RoadCase.all(in: "X") where !refused.needsImportedMarket {
                var code: String?
                do {
                    let id = try give(refused.command, setup.ids, trader)
                    try await eventually("\(refused) is executed") {
                        code = try RoadSetup.code(node, of: id)
                        return code != nil
                    }
                } catch let error as PostgresError {
                    code = RoadSQL.code(error)
                }
                #expect(code == refused.code.name, "\(refused.commandName), \(refused): \(code ?? "")")
            }
            try await cluster.becomeEqual()
        }
    }
}
