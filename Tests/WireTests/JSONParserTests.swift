import TestRandom
import Testing
import Wire

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test func `values are read as they are written`() throws {
        #expect(
            try parse(#" { "a" : [ 1 , -0.50e+3 , true , false , null ] , "é\n\"" : "\u00e9\ud83d\ude00/\/" } "#)
                == .object([
                    .init(
                        key: "a", value: .array([.number("1"), .number("-0.50e+3"), .bool(true), .bool(false), .null])),
                    .init(key: "é\n\"", value: .string("é😀//")),
                ]))
        #expect(try parse("{}") == .object([]))
        #expect(try parse("[]") == .array([]))
    }

    @Test(arguments: [
        "", " ", "tru", "nul", "[1,]", "[1 2]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, "'a'", "\"",
        #""\"#,
        #""\x""#, #""\u12""#, #""\u12G4""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "\"a\nb\"", "\"\u{0}\"",
        "-",
        "1.", ".5", "+1", "01", "1e", "0x1", "--1", "1-1", "Infinity", "[", "{", "]", "}", "[}", "\u{FEFF}1", "1 1",
        "// x",
        #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#,
    ])
    func `what is not strictly JSON is refused`(text: String) throws {
        let error = try #require(throws: WireError.self) { try parse(text) }
        #expect(error.code == .badJSON)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
            [0x80],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are refused`(bytes: [UInt8]) throws {
        let error = try #require(throws: WireError.self) { try JSONValue.parse(bytes) }
        #expect(error.code == .badUTF8)
    }

    @Test func `every bound is held`() throws {
        let limits = WireLimits(messageBytesMax: 1_000, depthMax: 3, membersMax: 2)
        let code = { (text: String) -> String? in
            do throws(WireError) {
                _ = try JSONValue.parse(Array(text.utf8), limits: limits)
                return nil
            } catch { return error.code.rawValue }
        }
        #expect(code("[[[1]]]") == nil)
        #expect(code("[[[[1]]]]") == "too_big")
        #expect(code(String(repeating: "[", count: 900)) == "too_big")
        #expect(code(#"{"a":1,"b":2}"#) == nil)
        #expect(code(#"{"a":1,"b":2,"c":3}"#) == "too_big")
        #expect(code("1" + String(repeating: " ", count: 999)) == nil)
        #expect(code("1" + String(repeating: " ", count: 1_000)) == "too_big")
        #expect(code(String(repeating: "x", count: 10_000_000)) == "too_big")
    }

    @Test func `no bytes crash the parser`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let good = Array(
            #"{"type":"add","security":"B\u00e9\ud83d\ude00","side":"bid","amount":-1.5e+10,"price":"2","postOnly":true}"#
                .utf8)
        var accepted = 0
        for round in 0..<20_000 {
            var bytes = good
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                    .random(in: 0...255, using: &generator)
                }
            }
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: bytes[place] = .random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(good.randomElement(using: &generator) ?? 0, at: place)
                default: bytes = Array(bytes[..<place])
                }
            }
            do throws(WireError) {
                _ = try ClientMessage.parse(bytes)
                accepted += 1
            } catch {
                #expect(!error.message.isEmpty, "seed \(seed)")
                #expect(!error.message.contains("\n"), "seed \(seed)")
            }
        }
        #expect(accepted > 0, "seed \(seed): the fuzzer never left a message whole")
        print("fuzzed the JSON parser with seed \(seed)")
    }
}
