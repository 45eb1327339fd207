import Synchronization

/// A count that goes up.
final class SentBytes: Sendable {
    private let total = Atomic<Int64>(0)
    var count: Int64 { total.load(ordering: .relaxed) }
    func add(_ bytes: Int) { total.wrappingAdd(Int64(bytes), ordering: .relaxed) }
}
