/// Why a gateway could not be started.
public struct GatewayFault: Error, CustomStringConvertible, Sendable {
    public let description: String
}
