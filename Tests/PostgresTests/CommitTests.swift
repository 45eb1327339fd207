import Postgres
import Testing

/// A table whose COMMIT waits until the test lets it go on: a deferred trigger takes a lock that the test holds.
private struct SlowCommit {
    let key = Int64.random(in: 1 ... .max)
    private let holder: Connection

    init() throws {
        holder = try TestServer.connect()
        try holder.execute("SELECT pg_advisory_lock($1)", key)
    }

    /// Creates the table in the session of another connection.
    static func script(_ key: Int64) -> String {
        """
        CREATE TEMP TABLE slow (id bigint);
        CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock(\(key)); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION pg_temp.wait();
        """
    }

    /// Waits for the server process whose COMMIT waits.
    func awaitCommit() async throws -> Int32 {
        while true {
            let rows = try holder.execute(
                """
                SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                AND (classid::bigint << 32 | objid::bigint) = $1
                """, key)
            if let row = rows.first { return try row.decode(Int32.self, at: 0) }
            await Task.yield()
        }
    }

    func letGo() throws { try holder.execute("SELECT pg_advisory_unlock($1)", key) }

    func terminate(_ process: Int32) throws { try holder.execute("SELECT pg_terminate_backend($1)", process) }
}

@Suite struct CommitTests {
    private func insert(_ session: Session, pipelined: Bool) -> Task<Void, any Error> {
        Task {
            try await session.run { connection in
                if pipelined {
                    try connection.pipeline { pipeline in
                        try pipeline.begin()
                        try pipeline.send("INSERT INTO slow VALUES (1)")
                        try pipeline.commit()
                    }
                } else {
                    try connection.transaction { _ = try $0.execute("INSERT INTO slow VALUES (1)") }
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func `a cancel during COMMIT changes nothing and the answer is awaited`(pipelined: Bool) async throws {
        let slow = try SlowCommit()
        let (key, session) = (slow.key, Session(try TestServer.configuration()))
        let interrupt = try await session.run { connection in
            try connection.executeSimple(SlowCommit.script(key))
            return connection.interrupt
        }
        let commit = insert(session, pipelined: pipelined)
        _ = try await slow.awaitCommit()
        interrupt.cancel()
        commit.cancel()
        try slow.letGo()
        try await commit.value
        #expect(try await session.run { try $0.execute("SELECT count(*) FROM slow")[0].decode(Int64.self, at: 0) } == 1)
    }

    @Test(arguments: [false, true])
    func `a connection lost during COMMIT leaves the outcome unknown, and says so`(pipelined: Bool) async throws {
        let slow = try SlowCommit()
        let (key, session) = (slow.key, Session(try TestServer.configuration()))
        try await session.run { try $0.executeSimple(SlowCommit.script(key)) }
        let commit = insert(session, pipelined: pipelined)
        try slow.terminate(try await slow.awaitCommit())
        let error = await #expect(throws: PostgresError.self) { try await commit.value }
        #expect(error?.kind == .commitOutcomeUnknown)
        #expect(error?.isConnectionLost == true)
        #expect(try await session.run { try $0.execute("SELECT 1").count } == 1)
    }

    @Test func `a task cancelled before COMMIT rolls back`() async throws {
        let session = Session(try TestServer.configuration())
        try await session.run { try $0.executeSimple("CREATE TEMP TABLE kept (id bigint)") }
        let task = Task {
            try await session.run { connection in
                try connection.transaction { connection in
                    try connection.execute("INSERT INTO kept VALUES (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await session.run { try $0.execute("SELECT 1 FROM kept").count } == 0)
    }
}
