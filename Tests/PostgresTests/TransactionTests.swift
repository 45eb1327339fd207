import Postgres
import Testing

@Suite struct TransactionTests {
    let connection: Connection

    init() throws {
        connection = try TestServer.connect()
        try connection.executeSimple("CREATE TEMP TABLE entries (id bigint)")
    }

    private func entryCount() throws -> Int64 {
        try connection.execute("SELECT count(*) FROM entries")[0].decode(Int64.self, at: 0)
    }

    @Test func `a body that returns is committed, one that throws is rolled back`() throws {
        struct Stop: Error {}
        #expect(try connection.transaction { try $0.execute("INSERT INTO entries VALUES (1)").affectedCount } == 1)
        #expect(throws: Stop.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO entries VALUES (2)")
                throw Stop()
            }
        }
        #expect(try entryCount() == 1)
        #expect(connection.transactionStatus == .idle)
    }

    @Test func `an error that the body swallowed is not taken for a commit`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO entries VALUES (1)")
                _ = try? connection.execute("SELECT 1/0")
            }
        }
        #expect(error?.sqlState == .inFailedTransaction)
        #expect(try entryCount() == 0)
    }

    @Test func `a transaction inside a transaction is wrong use`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction { try $0.transaction { _ in } }
        }
        #expect(error?.kind == .usage)
        #expect(connection.transactionStatus == .idle)
    }

    @Test func `its mode is set`() throws {
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction("READ ONLY") { try $0.execute("CREATE TABLE never (a int)") }
        }
        #expect(error?.sqlState == SQLState("25006"))
    }

    @Test func `a lock that is held is refused with 55P03`() throws {
        let other = try TestServer.connect()
        try connection.transaction { connection in
            try connection.execute("SELECT pg_advisory_xact_lock(4711)")
            let error = #expect(throws: PostgresError.self) {
                try other.transaction {
                    try $0.executeSimple("SET LOCAL lock_timeout = '1ms'")
                    try $0.execute("SELECT pg_advisory_xact_lock(4711)")
                }
            }
            #expect(error?.sqlState == .lockNotAvailable)
            #expect(error?.isRetryable == true)
        }
    }
}
