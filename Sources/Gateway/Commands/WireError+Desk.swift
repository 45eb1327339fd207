import OrderBook
import Store
import Wire

extension WireError {
    /// The entrance's refusal in the wire's words.
    init(_ rejection: Rejection) {
        self.init(ErrorCode(rejection.code), rejection.message, field: rejection.field.map(Self.wireName))
    }

    /// The database says `client_order_id` where the wire says `clientOrderId`.
    private static func wireName(_ field: String) -> String {
        let words = field.split(separator: "_")
        return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Nil when the command was entered.
    init?(_ answer: DeskAnswer) {
        switch answer {
        case .receipt(let receipt):
            guard case .refused(let rejection) = receipt.admission else { return nil }
            self.init(rejection)
        case .busy(let waiting):
            self.init(.busy, "\(waiting) commands wait to be entered, the most there may be; try again later")
        case .closing: self.init(.busy, "the gateway is stopping; connect again")
        case .unavailable:
            self.init(
                .unavailable,
                "the database does not answer and whether the command was stored is not known; send it again with the same clientOrderId"
            )
        case .notTaken:
            self.init(
                .init(.notReady),
                "the database does not answer; the command was not taken and nothing was stored; try again later"
            )
        case .failed(let message):
            self.init(.unavailable, "the database refused the command and stored nothing: \(message)")
        }
    }
}
