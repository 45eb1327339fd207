import OrderBook
import Postgres

// What is read of the tables that every order is written into is held within the bounds here, where it costs next to
// nothing: they have no constraints of their own. What lies beyond was written by hand.

extension RowReader {
    mutating func number(_ name: StaticString, _ bounds: ClosedRange<Int64>) throws -> Int64 {
        let value = try next(Int64.self)
        guard bounds.contains(value) else { throw StoreFault("\(name) \(value) is not in \(bounds)") }
        return value
    }

    mutating func numberIfAny(_ name: StaticString, _ bounds: ClosedRange<Int64>) throws -> Int64? {
        guard let value = try next(Int64?.self) else { return nil }
        guard bounds.contains(value) else { throw StoreFault("\(name) \(value) is not in \(bounds)") }
        return value
    }

    mutating func time(_ name: StaticString) throws -> Timestamp {
        let time = Timestamp(try next(PostgresTimestamp.self))
        guard Bounds.times.contains(time) else { throw StoreFault("\(name) is outside the years 1 to 9999") }
        return time
    }

    mutating func timeIfAny(_ name: StaticString) throws -> Timestamp? {
        guard let time = try next(PostgresTimestamp?.self).map({ Timestamp($0) }) else { return nil }
        guard Bounds.times.contains(time) else { throw StoreFault("\(name) is outside the years 1 to 9999") }
        return time
    }

    /// A time, or minus infinity where there was none yet.
    mutating func timeSinceEver(_ name: StaticString) throws -> Timestamp {
        let time = try next(PostgresTimestamp.self)
        if time == .negativeInfinity { return Timestamp(time) }
        guard Bounds.times.contains(Timestamp(time)) else { throw StoreFault("\(name) is outside the years 1 to 9999") }
        return Timestamp(time)
    }

    /// A user id, a client order id.
    mutating func name(_ name: StaticString) throws -> String {
        let text = try next(String.self)
        guard 1...Bounds.nameBytesMax ~= text.utf8.count else { throw StoreFault("\(name) of \(text.utf8.count) bytes") }
        return text
    }

    mutating func nameIfAny(_ name: StaticString) throws -> String? {
        guard let text = try next(String?.self) else { return nil }
        guard 1...Bounds.nameBytesMax ~= text.utf8.count else { throw StoreFault("\(name) of \(text.utf8.count) bytes") }
        return text
    }
}
