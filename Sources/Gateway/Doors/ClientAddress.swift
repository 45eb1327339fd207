import NIOCore

/// Where a client comes from, as far as shares and guesses are counted: an IPv4 address, or the first half of an IPv6
/// address, since whoever has one of those has all.
struct ClientAddress: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64
    let isLoopback: Bool

    private init(high: UInt64, low: UInt64, isLoopback: Bool) {
        self.high = high
        self.low = low
        self.isLoopback = isLoopback
    }

    /// A client without an address: on a Unix socket, or already gone.
    static let none = ClientAddress(high: 0, low: 0, isLoopback: false)

    init(_ address: SocketAddress?) {
        guard let text = address?.ipAddress, let address = IPAddress(text) else {
            self = .none
            return
        }
        self.init(address)
    }

    init(_ address: IPAddress) {
        // An IPv4 address has four bytes.
        let half = address.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        self.init(high: half, low: UInt64(address.bytes.count), isLoopback: address.isLoopback)
    }
}
