import Testing

@testable import Replication

struct RunsTests {
    @Test func `numbers come out in order, however they were put in`() {
        var seed = UInt64.random(in: 0..<1_000_000)
        print("seed \(seed)")
        func next(_ limit: UInt64) -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (seed >> 33) % limit
        }
        var runs = Runs<Int>()
        var model: [Int64: Int] = [:]
        for step in 0..<20_000 {
            let number = Int64(next(3) == 0 ? next(5_000) : 5_000 * next(4) + UInt64(step / 4))
            switch next(8) {
            case 0:
                let least = model.keys.min()
                #expect(runs.popFirst()?.number == least)
                if let least { model[least] = nil }
            case 1: #expect(runs.remove(number) == model.removeValue(forKey: number))
            case 2:
                #expect(runs.below(number)?.number == model.keys.filter { $0 < number }.max())
                #expect(runs.above(number)?.number == model.keys.filter { $0 > number }.min())
            default:
                guard model[number] == nil else { continue }
                runs.insert(number, step)
                model[number] = step
            }
            #expect(runs.count == model.count)
        }
        #expect(runs.all.map(\.number) == model.keys.sorted())
        #expect(runs.all.map(\.value) == model.keys.sorted().map { model[$0] })
        #expect(runs.first?.number == model.keys.min())
        #expect(runs.last?.number == model.keys.max())
    }
}
