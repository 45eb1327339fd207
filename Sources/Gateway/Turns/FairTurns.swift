/// Connections that wait for their turn: a connection counts as its part of its address. A value: it decides, and does
/// nothing.
struct FairTurns<Element> {
    /// What one connection has had.
    struct Account {
        let address: ClientAddress
        fileprivate var end: UInt64 = 0

        init(_ address: ClientAddress) { self.address = address }
    }

    private var line = TurnLine<(element: Element, address: ClientAddress)>()
    private var countOf: [ClientAddress: Int] = [:]

    var isEmpty: Bool { line.isEmpty }

    mutating func wait(_ element: Element, _ account: Account) {
        line.join((element, account.address), end: account.end)
        countOf[account.address, default: 0] += 1
    }

    mutating func next() -> Element? {
        guard let (next, _) = line.next() else { return nil }
        leave(next.address)
        return next.element
    }

    /// Notes what a connection has had: it counts for more, the more of its address wait.
    mutating func charge(_ account: inout Account, _ cost: Int) {
        account.end = max(line.now, account.end) + UInt64(cost * (countOf[account.address, default: 0] + 1))
    }

    mutating func remove(_ account: Account, where isIt: (Element) -> Bool) {
        line.removeAll { isIt($0.element) }
        leave(account.address)
    }

    private mutating func leave(_ address: ClientAddress) {
        if countOf[address] == 1 { countOf[address] = nil } else { countOf[address]? -= 1 }
    }
}
