/// Values at places that stay theirs until they are removed.
struct Slab<Value> {
    private var values: [Value?] = []
    private var free: [Int] = []

    var indices: [Int] { values.indices.filter { values[$0] != nil } }

    func holds(_ index: Int) -> Bool { index < values.count && values[index] != nil }

    subscript(index: Int) -> Value {
        get { values[index]! }
        _modify { yield &values[index]! }
    }

    mutating func insert(_ value: Value) -> Int {
        if let index = free.popLast() {
            values[index] = value
            return index
        }
        values.append(value)
        return values.count - 1
    }

    mutating func remove(_ index: Int) {
        values[index] = nil
        free.append(index)
    }
}
