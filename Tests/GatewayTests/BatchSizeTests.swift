import Testing

@testable import Gateway

@Suite struct BatchSizeTests {
    @Test func `what takes too long is made smaller until it does not, and grows again`() {
        var size = BatchSize(max: 1_000, least: 16, target: .milliseconds(25))
        size.took(.milliseconds(1), for: 1)
        // A command takes 0.2 ms.
        for _ in 0..<10 { size.took(.microseconds(200 * size.limit), for: size.limit) }
        #expect((80...160).contains(size.limit))
        for _ in 0..<20 { size.took(.microseconds(10 * size.limit), for: size.limit) }
        #expect(size.limit == 1_000)
    }

    @Test func `it is never less than its least, and a batch that was not full makes none larger`() {
        var size = BatchSize(max: 64, least: 16, target: .milliseconds(4))
        size.took(.milliseconds(1), for: 1)
        for _ in 0..<10 { size.took(.seconds(1), for: size.limit) }
        #expect(size.limit == 16)
        size.took(.milliseconds(1), for: 3)
        #expect(size.limit == 16)
    }

    @Test func `a slow disk is not held against it`() {
        var size = BatchSize(max: 64, least: 16, target: .milliseconds(4))
        for _ in 0..<100 { size.took(.milliseconds(20), for: size.limit) }
        #expect(size.limit == 64)
        // It has become slower.
        for _ in 0..<200 { size.took(.milliseconds(100), for: size.limit) }
        #expect(size.limit == 64)
    }
}
