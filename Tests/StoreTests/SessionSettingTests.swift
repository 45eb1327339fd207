import OrderBook
import Postgres
import TestSupport
import Testing

@testable import Store

private func value(_ name: String, _ connection: Connection) throws -> String? {
    try connection.execute("SELECT current_setting($1, true)", name).one().decode(at: 0)
}

@Suite struct SessionSettingTests {
    private let database: TestDatabase
    init() throws { database = try TestDatabase() }

    private func expectSettled(_ configuration: ConnectionConfiguration, _ what: String) throws {
        for purpose in SessionPurpose.allCases {
            let connection = try Connection(configuration.settled(for: purpose))
            for setting in SessionSettings.all(for: purpose) {
                guard let value = try value(setting.name, connection) else { continue }
                #expect(value == setting.value, "\(setting.name) for \(purpose), \(what)")
            }
            #expect(try value("client_encoding", connection) == "UTF8")
        }
    }

    // One database for all of them: making one takes longer than looking.
    @Test func `whatever a role has set, every connection has pgbook's settings`() throws {
        for (name, value) in hostileSettings {
            let role = try SettingRole([(name, value)])
            try expectSettled(role.configuration(database), "\(name) = \(value)")
        }
    }

    @Test func `whatever the database, the role in it and PGOPTIONS have set, too`() throws {
        let role = try SettingRole()
        try role.set("synchronous_commit", "off", inDatabase: database.name)
        try database.connection().executeSimple("ALTER DATABASE \(database.name) SET statement_timeout = '1s'")
        try database.connection().executeSimple("ALTER DATABASE \(database.name) SET enable_seqscan = off")
        try expectSettled(role.configuration(database), "database and role in it")
        try expectSettled(
            role.configuration(database, options: "-c%20synchronous_commit%3Doff%20-c%20TimeZone%3DAsia/Tokyo"), "PGOPTIONS")
    }

    @Test func `a session that is made anew is settled as the first was`() async throws {
        let role = try SettingRole([("synchronous_commit", "off")])
        let session = Session(try role.configuration(database).settled(for: .matching))
        for _ in 0..<2 {
            #expect(try await session.run { try value("synchronous_commit", $0) } == "on")
            await session.disconnect()
        }
    }

    @Test func `a setting that promises more stays`() throws {
        let role = try SettingRole([("synchronous_commit", "remote_apply")])
        let connection = try Connection(role.configuration(database).settled(for: .matching))
        #expect(try value("synchronous_commit", connection) == "remote_apply")
    }

    @Test func `work that takes long has no time-out, and short work has one`() throws {
        for purpose in SessionPurpose.allCases {
            let connection = try Connection(database.configuration(as: .node).settled(for: purpose))
            #expect(try value("statement_timeout", connection) == (purpose.isShort ? "5min" : "0"), "\(purpose)")
            #expect(try value("idle_session_timeout", connection) == "0", "\(purpose)")
        }
    }

    @Test func `no switch of the planner and no time-out of this server is missing from the table`() throws {
        let known = Set(SessionSettings.all(for: .matching).map { $0.name.lowercased() })
        let settings = try database.connection().execute(
            """
            SELECT name FROM pg_settings
            WHERE context = 'user' AND (name LIKE 'enable\\_%' OR name LIKE '%\\_timeout') 
              AND name NOT IN ('tcp_user_timeout', 'wal_sender_timeout')
            """
        ).map { try $0.decode(String.self, at: 0) }
        #expect(settings.filter { !known.contains($0) } == [])
    }

    /// What the sessions of a matcher and of the gateway's entrance really had while they wrote.
    @Test func `commands are taken in and executed with synchronous_commit on`() async throws {
        try database.addMarket("M", tick: "1", lot: "1")
        let owner = try database.connection()
        try owner.executeSimple(
            """
            CREATE TABLE public.seen (what text, value text);
            GRANT INSERT ON public.seen TO public;
            CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO public.seen VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'));
                RETURN NULL;
            END $$;
            CREATE TRIGGER see AFTER INSERT ON pgbook_data.commands FOR EACH STATEMENT EXECUTE FUNCTION public.see();
            """)
        let role = try SettingRole([("synchronous_commit", "off"), ("default_transaction_read_only", "on")])
        let configuration = try role.configuration(database)
        let entrance = LoggedEntrance(configuration)
        let entry = Entry(
            user: UserID("ann"), market: "M",
            action: .place(
                PlaceEntry(
                    side: .bid, amount: PostgresNumeric(unscaled: 1, scale: 0),
                    price: PostgresNumeric(unscaled: 100, scale: 0))))
        let answer = await withCheckedContinuation { continuation in
            entrance.submit([entry]) { continuation.resume(returning: $0) }
        }
        #expect(try answer.get().receipts.count == 1)
        let seen = try owner.execute("SELECT DISTINCT value FROM public.seen").map { try $0.decode(String.self, at: 0) }
        #expect(seen == ["on"])
    }
}
