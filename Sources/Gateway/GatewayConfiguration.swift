public import MarketData

/// How a gateway listens, and whom it trusts.
public struct GatewayConfiguration: Sendable {
    /// Only addresses of this machine are taken, unless `allowsInsecure`.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    /// Listen on an address that others reach, though there is no TLS: whoever reaches it reads and writes everything.
    public var allowsInsecure: Bool
    /// Whom each token speaks for. With any, a command over HTTP needs one.
    public var tokens: [String: String]
    public var limits: GatewayLimits
    public var marketData: MarketDataLimits

    public init(
        host: String = "127.0.0.1", port: Int = 8080, allowsInsecure: Bool = false, tokens: [String: String] = [:],
        limits: GatewayLimits = GatewayLimits(), marketData: MarketDataLimits = MarketDataLimits()
    ) {
        self.host = host
        self.port = port
        self.allowsInsecure = allowsInsecure
        self.tokens = tokens
        self.limits = limits
        self.marketData = marketData
    }

    /// Why a gateway cannot be started like this, in one line; nil when it can.
    public var fault: String? {
        if !isLoopback, !allowsInsecure {
            return
                "\(host) can be reached by others and there is no TLS yet: listen on 127.0.0.1, or say --allow-insecure"
        }
        return limits.contradiction.map { "the gateway's limits contradict each other: \($0)" }
    }

    private var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// Why a gateway could not be started.
public struct GatewayFault: Error, CustomStringConvertible, Sendable {
    public let description: String
}
