/// Values by number. Numbers come in a few rising runs (what is pushed, what is pulled far below it), and each is put at the
/// end of its run: nothing is moved for it, however much waits.
struct Runs<Value: Sendable>: Sendable {
    struct Entry: Sendable {
        var number: Int64
        var value: Value
    }

    /// Never empty.
    private struct Run: Sendable {
        var entries: [Entry]
        /// How many have been taken.
        var head = 0

        var first: Entry { entries[head] }
        var last: Entry { entries[entries.count - 1] }

        /// The first from a number on, or the end.
        func index(from number: Int64) -> Int {
            var (low, high) = (head, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].number < number { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// What follows at this distance or less continues a run; numbers in between seldom come later.
    private static var gapMax: Int64 { 64 }

    /// Rising.
    private var runs: [Run] = []
    private(set) var count = 0

    var first: Entry? { runs.first?.first }
    var last: Entry? { runs.last?.last }

    var all: [Entry] { runs.flatMap { $0.entries[$0.head...] } }

    /// The last below a number.
    func below(_ number: Int64) -> Entry? {
        let index = firstRun(above: number - 1)
        guard index > 0 else { return nil }
        let run = runs[index - 1]
        return run.entries[run.index(from: number) - 1]
    }

    /// The first above a number.
    func above(_ number: Int64) -> Entry? {
        let index = firstRun(above: number)
        if index > 0 {
            let run = runs[index - 1]
            let inside = run.index(from: number + 1)
            if inside < run.entries.count { return run.entries[inside] }
        }
        return index < runs.count ? runs[index].first : nil
    }

    /// Puts in a number that is not in it.
    mutating func insert(_ number: Int64, _ value: Value) {
        count += 1
        let entry = Entry(number: number, value: value)
        let index = firstRun(above: number)
        guard index > 0, number <= runs[index - 1].last.number + Self.gapMax else {
            return runs.insert(Run(entries: [entry]), at: index)
        }
        if runs[index - 1].last.number < number {
            runs[index - 1].entries.append(entry)
        } else {
            runs[index - 1].entries.insert(entry, at: runs[index - 1].index(from: number))
        }
    }

    @discardableResult
    mutating func remove(_ number: Int64) -> Value? {
        let index = firstRun(above: number) - 1
        guard index >= 0 else { return nil }
        let inside = runs[index].index(from: number)
        guard inside < runs[index].entries.count, runs[index].entries[inside].number == number else { return nil }
        count -= 1
        let value = runs[index].entries.remove(at: inside).value
        if runs[index].head == runs[index].entries.count { runs.remove(at: index) }
        return value
    }

    mutating func popFirst() -> Entry? {
        guard let first else { return nil }
        count -= 1
        runs[0].head += 1
        let (head, size) = (runs[0].head, runs[0].entries.count)
        if head == size {
            runs.removeFirst()
        } else if head > 32, head * 2 > size {
            runs[0].entries.removeFirst(head)
            runs[0].head = 0
        }
        return first
    }

    /// The first run that begins above a number, or the end.
    private func firstRun(above number: Int64) -> Int {
        var (low, high) = (0, runs.count)
        // New numbers are at the end.
        if let last = runs.last, last.first.number <= number { return runs.count }
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].first.number <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
