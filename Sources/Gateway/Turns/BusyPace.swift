import NIOCore

/// How often sockets of an address may be told that there is no room. A value: it decides, and has no clock.
///
/// Telling it costs as much as what it refuses; an address whose sockets do not slow down is read more slowly.
struct BusyPace {
    private let fresh: Allowance
    private let addressesMax: Int
    private var allowances: [ClientAddress: Allowance] = [:]

    init(perSecond: Int, burst: Int, addressesMax: Int) {
        fresh = Allowance(perSecond: perSecond, burst: burst)
        self.addressesMax = addressesMax
    }

    mutating func told(_ address: ClientAddress, times: Int = 1) {
        // Forgotten together, they begin anew with what a burst may have.
        if allowances.count >= addressesMax, allowances[address] == nil { allowances = [:] }
        allowances[address, default: fresh].spend(times)
    }

    /// How long a socket of the address that was told so is not read; nil where it is.
    mutating func pause(_ address: ClientAddress, now: NIODeadline) -> TimeAmount? {
        allowances[address]?.wait(now: now)
    }

    /// A socket of the address that was told so reads on, unless it has to wait longer: what it reads counts from now on,
    /// so that not all that wait read on together.
    mutating func resume(_ address: ClientAddress, now: NIODeadline) -> TimeAmount? {
        if let pause = pause(address, now: now) { return pause }
        told(address, times: Self.readCost)
        return nil
    }

    /// As many commands as one read brings.
    private static let readCost = 32
}
