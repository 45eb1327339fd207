import NIOCore

/// One value for each event loop of a group, for use on that loop alone.
struct PerLoop<Value>: Sendable {
    let loops: [any EventLoop]
    private let values: [NIOLoopBound<Value>]
    private let indexes: [ObjectIdentifier: Int]

    /// Makes each value on its loop.
    init(on group: any EventLoopGroup, _ make: @escaping @Sendable (Int, any EventLoop) -> Value) async throws {
        let loops = Array(group.makeIterator())
        var values: [NIOLoopBound<Value>] = []
        for (index, loop) in loops.enumerated() {
            values.append(try await loop.submit { NIOLoopBound(make(index, loop), eventLoop: loop) }.get())
        }
        self.loops = loops
        self.values = values
        indexes = Dictionary(uniqueKeysWithValues: loops.enumerated().map { (ObjectIdentifier($1), $0) })
    }

    /// Nil for a loop of another group.
    func value(on loop: any EventLoop) -> Value? { indexes[ObjectIdentifier(loop)].map { values[$0].value } }

    /// Does something with each value, on its loop.
    func onEach(_ body: @escaping @Sendable (Value) -> Void) {
        for (loop, value) in zip(loops, values) { loop.execute { body(value.value) } }
    }

    func execute(onLoop index: Int, _ body: @escaping @Sendable (Value) -> Void) {
        let value = values[index]
        loops[index].execute { body(value.value) }
    }
}
