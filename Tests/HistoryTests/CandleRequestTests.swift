import History
import OrderBook
import Testing

/// What may be asked of `/candles`.
@Suite struct CandleRequestTests {
    private static let extremes = [
        "-9223372036854775808", "9223372036854775807", "-9223372036854775", "9223372036854775",
        "99999999999999999999999999", "253402300800000", "-62135596800001", "0000-01-01", "0000-12-31T23:59:59Z",
        "10000-01-01", "-1", "0", "253402300799999", "-62135596800000", "9999-12-31T23:59:59Z", "0001-01-01",
        "2026-02-30", "٢٠٢٦-٠١-٠١", "", " ", "1e9", "0x10", "NaN", "infinity",
    ]

    @Test(arguments: extremes) func `a time is taken or refused with its name, whatever it says`(text: String) {
        for interval in CandleInterval.allCases {
            for (from, to) in [(text, nil), (nil, text), (text, text), ("0", text), (text, "0")] as [(String?, String?)]
            {
                for limit in [nil, "1", "1000"] {
                    do throws(CandleRequest.Fault) {
                        let request = try CandleRequest(
                            interval: interval.rawValue, from: from, to: to, fill: nil, limit: limit)
                        let range = request.range
                        #expect(range.map { $0.lowerBound <= $0.upperBound } ?? true)
                    } catch {
                        #expect(["from", "to"].contains(error.field), "\(error)")
                    }
                }
            }
        }
    }

    @Test(arguments: [
        "-9223372036854775808", "9223372036854775807", "253402300800000", "-62135596800001", "0000-01-01",
    ])
    func `a time beyond the years is told its bound`(text: String) {
        let fault = #expect(throws: CandleRequest.Fault.self) {
            _ = try CandleRequest(interval: nil, from: text, to: nil, fill: nil, limit: nil)
        }
        #expect(fault?.message == "from \"\(text)\" is outside the years 1 to 9999")
    }

    @Test(arguments: ["0", "-1", "1001", "99999999999999999999", "1e2", ""])
    func `a limit outside its bounds is refused`(text: String) {
        let fault = #expect(throws: CandleRequest.Fault.self) {
            _ = try CandleRequest(interval: nil, from: nil, to: nil, fill: nil, limit: text)
        }
        #expect(fault?.field == "limit" && fault?.message.contains("1 to 1000") == true)
    }
}
