import Synchronization

/// How many connections and sockets each address has.
final class AddressTable: Sendable {
    private struct Counts {
        var connections = 0
        var sockets = 0
    }

    private let counts = Mutex<[ClientAddress: Counts]>([:])
    private let connectionsMax: Int
    private let socketsMax: Int

    init(limits: GatewayLimits) {
        connectionsMax = limits.connectionsPerAddressMax
        socketsMax = limits.socketsPerAddressMax
    }

    /// False where the address has as many as it may. `leave` gives it back.
    func connect(_ address: ClientAddress) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: Counts()].connections < connectionsMax else { return false }
            counts[address, default: Counts()].connections += 1
            return true
        }
    }

    func leave(_ address: ClientAddress) {
        counts.withLock { counts in
            counts[address]?.connections -= 1
            if counts[address]?.connections == 0 { counts[address] = nil }
        }
    }

    /// A connection wants to be a socket. `closeSocket` gives it back, before the connection leaves.
    func openSocket(_ address: ClientAddress) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: Counts()].sockets < socketsMax else { return false }
            counts[address, default: Counts()].sockets += 1
            return true
        }
    }

    func closeSocket(_ address: ClientAddress) { counts.withLock { $0[address]?.sockets -= 1 } }
}
