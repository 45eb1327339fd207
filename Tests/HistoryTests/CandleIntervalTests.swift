import History
import Testing

/// Which intervals there are.
struct CandleIntervalTests {
    @Test("every interval up to a day divides the next greater unit")
    func divisors() throws {
        for interval in CandleInterval.allCases {
            guard let seconds = interval.seconds, seconds <= 86_400 else { continue }
            let unit: Int64 = seconds < 3600 ? 3600 : 86_400
            #expect(unit % seconds == 0, "\(interval.rawValue)")
        }
        #expect(CandleInterval(rawValue: "7m") == nil)
        #expect(CandleInterval(rawValue: "90m") == nil)
        #expect(CandleInterval(rawValue: "1w")?.seconds == 604_800)
    }
}
