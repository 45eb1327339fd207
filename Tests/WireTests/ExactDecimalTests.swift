import OrderBook
import TestRandom
import Testing
import Wire

@Suite struct ExactDecimalTests {
    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("0.000", "0"), ("1", "1"), ("-1.50", "-1.5"), ("100", "100"), ("1e2", "100"),
        ("1E+2", "100"), ("12.5e-3", "0.0125"), ("0.1e1", "1"), ("10e-1", "1"), ("0e999999999999999999999", "0"),
        ("9223372036854775808", "9223372036854775808"), ("0.00000000000000000001", "0.00000000000000000001"),
        ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
        ("1.00000000000000000000000000000000000000000000000000", "1"),
        ("1e37", "1" + String(repeating: "0", count: 37)),
    ])
    func `a number prints as plain digits without trailing zeros`(text: String, expected: String) throws {
        #expect(try ExactDecimal(parsing: text).description == expected)
    }

    @Test func `equal numbers are equal values however they are written`() throws {
        #expect(try ExactDecimal(parsing: "1.10") == ExactDecimal(parsing: "110e-2"))
        #expect(try ExactDecimal(parsing: "1000") == ExactDecimal(parsing: "1e3"))
    }

    @Test(arguments: [
        ("", ExactDecimal.ParseError.notANumber), ("NaN", .notANumber), ("nan", .notANumber), ("Infinity", .notANumber),
        ("-", .notANumber), ("+1", .notANumber), ("01", .notANumber), ("00", .notANumber), (".5", .notANumber),
        ("1.", .notANumber), ("1e", .notANumber), ("1e+", .notANumber), ("0x10", .notANumber), ("1 ", .notANumber),
        (" 1", .notANumber), ("1,5", .notANumber), ("٣", .notANumber), ("1;drop table trades", .notANumber),
        ("1e400", .tooLarge), ("-1e400", .tooLarge), ("1e38", .tooLarge), ("1e99999999999999999999999999", .tooLarge),
        ("1e-400", .tooPrecise), ("1e-39", .tooPrecise), ("1e-99999999999999999999", .tooPrecise),
        ("1.00000000000000000000000000000000000001", .tooPrecise),
        ("123456789012345678901234567890123456789", .tooLarge),
    ])
    func `what is no exact number of 38 digits is a typed error`(text: String, expected: ExactDecimal.ParseError) {
        #expect(throws: expected) { try ExactDecimal(parsing: text) }
    }

    @Test func `parsing what was printed gives the same number`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let digits = (0..<Int.random(in: 1...38, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }
            let exponent = Int.random(in: -38...0, using: &generator)
            let text = "1\(digits.dropFirst().joined())e\(exponent)"
            let number = try ExactDecimal(parsing: text)
            #expect(try ExactDecimal(parsing: number.description) == number, "seed \(seed): \(text)")
        }
    }
}

@Suite struct MarketUnitsTests {
    private func units(_ tick: String, _ lot: String) throws -> MarketUnits {
        try #require(MarketUnits(tick: ExactDecimal(parsing: tick), lot: ExactDecimal(parsing: lot)))
    }

    @Test(arguments: [
        ("0.01", "101.5", 10150), ("0.01", "0.01", 1), ("0.25", "10.75", 43), ("5", "1000", 200), ("10", "1e3", 100),
        ("0.00000001", "92233720368.54775807", Int64.max), ("1", "9223372036854775807", Int64.max),
        ("0.00000000000000000001", "0.0000000000000000001", 10),
    ])
    func `a price on the tick is a whole number of ticks`(tick: String, price: String, expected: Int64) throws {
        #expect(try units(tick, "1").ticks(of: ExactDecimal(parsing: price)) == PriceTicks(expected))
        #expect(try units("1", tick).lots(of: ExactDecimal(parsing: price)) == AmountLots(expected))
    }

    @Test(arguments: [
        ("0.01", "1.005", "off_tick"), ("0.25", "1.3", "off_tick"), ("5", "12", "off_tick"), ("10", "5", "off_tick"),
        ("1", "0.00000000000000000001", "off_tick"), ("0.01", "0", "not_positive"), ("0.01", "-1", "not_positive"),
        ("0.01", "-0.001", "not_positive"), ("1", "9223372036854775808", "too_large"),
        ("0.01", "92233720368547758.08", "too_large"), ("0.01", "99999999999999999999999999999999999999", "too_large"),
        ("0.00000000000000000001", "99999999999999999999999999", "too_large"),
    ])
    func `a price that is no whole number of ticks is refused, never rounded`(
        tick: String, price: String, code: String
    ) throws {
        let error = try #require(throws: WireError.self) {
            try units(tick, "1").ticks(of: ExactDecimal(parsing: price))
        }
        #expect(error.code.rawValue == code)
        #expect(error.field == "price")
        let value = try ExactDecimal(parsing: price).description
        #expect(error.message.contains(value), "the message names the value at fault")
    }

    @Test func `totals are exact at the far end of both units`() throws {
        let units = try units("0.00000007", "0.00000000000003")
        var bytes: [UInt8] = []
        units.append(Notional(price: PriceTicks(.max), amount: AmountLots(.max)), to: &bytes)
        // 85070591730234615847396907784232501249 × 21 × 10⁻²², by another program.
        #expect(String(decoding: bytes, as: UTF8.self) == "178648242633492693.2795335063468882526229")
    }

    @Test func `sizes must be above zero`() throws {
        #expect(MarketUnits(tick: .zero, lot: ExactDecimal(1)) == nil)
        #expect(MarketUnits(tick: ExactDecimal(1), lot: ExactDecimal(-1)) == nil)
    }
}
