import Postgres
import Store
import TestSupport
import Testing

@Suite struct StampTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
        try database.addMarket("M")
    }

    @Test func `stamps of one session strictly increase`() throws {
        let connection = try database.connection()
        var last: Int64 = 0
        for count in [1, 1, 5, 1, 1000, 1, 3] {
            let first: Int64 = try connection.execute("SELECT pgbook_data.stamp($1)", Int32(count)).one().decode(at: 0)
            #expect(first > last)
            last = first + Int64(count) - 1
        }
    }

    @Test func `stamps strictly increase also when the clock is set back`() throws {
        let connection = try database.connection()
        // An hour ahead: what a clock that was right an hour from now and then set back leaves behind.
        let ahead: Int64 = try connection.execute(
            "SELECT setval('pgbook_data.stamps', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 3600000000)"
        ).one().decode(at: 0)
        var last = ahead
        for count in [1, 10, 1, 1] {
            let first: Int64 = try connection.execute("SELECT pgbook_data.stamp($1)", Int32(count)).one().decode(at: 0)
            #expect(first > last)
            last = first + Int64(count) - 1
        }
        // The sequence alone counts: nothing else moves it.
        #expect(last == ahead + 13)
    }

    @Test func `a later command has a later time, whoever gives it`() async throws {
        let sessions = try (0..<4).map { _ in try database.session(as: .trader) }
        var last: PostgresTimestamp = .negativeInfinity
        for round in 0..<40 {
            let time = try await sessions[round % 4].run { connection in
                let id: PostgresUUID = try connection.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)").one()
                    .decode(at: 0)
                return try connection.execute("SELECT time FROM pgbook.orders WHERE id = $1", id).one()
                    .decode(PostgresTimestamp.self, at: 0)
            }
            #expect(time > last)
            last = time
        }
    }

    @Test func `an id begins with its stamp's milliseconds and is a version 7 UUID`() throws {
        let connection = try database.connection(as: .trader)
        let id: PostgresUUID = try connection.execute("SELECT pgbook.place_order('M', 'bid', 1, 100)").one().decode(
            at: 0)
        let time: PostgresTimestamp = try connection.execute("SELECT time FROM pgbook.orders").one().decode(at: 0)
        #expect(Int64(id.high >> 16) == time.microsecondsSinceUnixEpoch / 1000)
        #expect(id.high >> 12 & 15 == 7)
        #expect(id.low >> 62 == 2)
    }
}
