/// What one peer may still send. Always given + held + unused = the whole.
struct CreditAccount {
    private let whole: Int
    private let step: Int
    /// The current connection's credit.
    private var given = 0
    /// What came and was not taken by the consumer, of earlier connections too.
    private(set) var held = 0

    init(limits: MeshLimits) {
        whole = limits.inboxBytesMax
        step = limits.creditStep
    }

    /// A connection begins: with what earlier ones left.
    mutating func open() -> Int {
        given = whole - held
        return given
    }

    mutating func close() { given = 0 }

    /// - Returns: whether the peer had credit for it.
    mutating func receive(_ cost: Int) -> Bool {
        guard cost <= given else { return false }
        given -= cost
        held += cost
        return true
    }

    /// The consumer has taken it.
    /// - Returns: credit to give to the peer, once it is worth a frame.
    mutating func take(_ cost: Int, isOpen: Bool) -> Int? {
        held -= cost
        let unused = whole - held - given
        guard isOpen, unused >= step else { return nil }
        given += unused
        return unused
    }
}
