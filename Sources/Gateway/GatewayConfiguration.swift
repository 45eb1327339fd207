public import MarketData

/// How a gateway listens, and whom it trusts.
public struct GatewayConfiguration: Sendable {
    /// Only addresses of this machine are taken, unless `allowsInsecure`.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    /// Listen on an address that others reach, though there is no TLS: whoever reaches it reads and writes everything.
    public var allowsInsecure: Bool
    /// Whom each token speaks for; then every command needs one. Nil: whoever connects is trusted.
    public var tokens: Tokens?
    /// The file of tokens, which is read again whenever it changes. It stands for `tokens`.
    public var tokenFile: String?
    /// Names and addresses of this server, beside `host` and this machine's own, for `Host` to say.
    public var publicNames: [String]
    /// Other origins whose pages may come in: `https://example.com`.
    public var allowedOrigins: [String]
    public var limits: GatewayLimits
    public var marketData: MarketDataLimits

    public init(
        host: String = "127.0.0.1", port: Int = 8080, allowsInsecure: Bool = false, tokens: Tokens? = nil,
        tokenFile: String? = nil, publicNames: [String] = [], allowedOrigins: [String] = [],
        limits: GatewayLimits = GatewayLimits(), marketData: MarketDataLimits = MarketDataLimits()
    ) {
        self.host = host
        self.port = port
        self.allowsInsecure = allowsInsecure
        self.tokens = tokens
        self.tokenFile = tokenFile
        self.publicNames = publicNames
        self.allowedOrigins = allowedOrigins
        self.limits = limits
        self.marketData = marketData
    }

    /// Why a gateway cannot be started like this, in one line; nil when it can.
    public var fault: String? {
        if !isLoopback, !allowsInsecure {
            return
                "\(host) can be reached by others and there is no TLS yet: listen on 127.0.0.1, or say --allow-insecure"
        }
        if let tokens, tokens.count == 0 { return "there is no token: nobody could give a command" }
        for name in publicNames { if let fault = Doors.fault(ofName: name) { return fault } }
        for origin in allowedOrigins { if let fault = Doors.fault(ofOrigin: origin) { return fault } }
        return limits.contradiction.map { "the gateway's limits contradict each other: \($0)" }
    }

    private var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
