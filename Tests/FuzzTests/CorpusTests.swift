import Foundation
import TestRandom
import Testing

private let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

/// What libFuzzer found worth keeping, played again: none of it ends the process.
@Suite struct CorpusTests {
    private func inputs(of parser: FuzzedParser) throws -> [Data] {
        let folder = corpus.appending(path: parser.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            try Data(contentsOf: folder.appending(path: $0))
        }
    }

    @Test(arguments: FuzzedParser.allCases)
    func `a parser takes every input of its corpus, and what is near to it`(parser: FuzzedParser) throws {
        let inputs = try inputs(of: parser)
        #expect(!inputs.isEmpty, "\(parser.rawValue) has no corpus: scripts/fuzz \(parser.rawValue)")
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for input in inputs {
            var bytes = Array(input)
            parser.parse(bytes)
            for _ in 0..<20 where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: .min ... .max, using: &random)
                parser.parse(bytes)
            }
        }
        parser.parse([])
    }

    /// Numbers and texts at which arithmetic ends, where the parsers read text.
    @Test(arguments: FuzzedParser.allCases) func `a parser takes extreme words`(parser: FuzzedParser) {
        let words = [
            "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616",
            "170141183460469231731687303715884105727", "1e999999999", "-1e-999999999", "1e9223372036854775808",
            String(repeating: "9", count: 5_000), "0." + String(repeating: "0", count: 5_000) + "1",
            String(repeating: "[", count: 5_000), "NaN", "Infinity", "9999-12-31T23:59:59.999999+99:99",
            "0000-01-01", "1000000000d", "\u{202E}", "\u{0}",
        ]
        for word in words {
            for text in [
                word, "[\(word)]", #"{"type":"add","security":"M","side":"bid","amount":\#(word),"price":\#(word)}"#,
                #"{"type":"add","security":"M","side":"bid","amount":1,"price":1,"timeInForce":"gtd","expires":\#(word)}"#,
                "1d\n\(word)\n\(word)\nnone\n\(word)", "1w\n\(word)", "1M\n\n\(word)",
                "place,\(word),B,limit,\(word),\(word)\ncancel,\(word)\n",
                "place,1,B,limit,9223372036854775807,9223372036854775807\nplace,2,S,limit,1,9223372036854775807\nreplace,2,3,\(word),\(word)\n",
                "1,0,0,0,\(word),\(word),\(word)\n2,2,1,0,\(word),\(word),\(word)\n", "a,b\n\"\(word)\",\(word)",
            ] {
                parser.parse(Array(text.utf8))
            }
        }
    }
}
