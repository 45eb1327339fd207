import OrderBook
import Synchronization
import Wire

/// Who may do what: whom a token speaks for, and who has guessed too often.
final class Access: Sendable {
    /// Somebody who showed a token.
    struct Identity: Hashable, Sendable {
        var user: UserID
        var token: Tokens.ID
    }

    private struct State {
        var tokens: Tokens?
        var guesses: GuessLimiter
    }

    private let state: Mutex<State>

    /// - Parameter tokens: nil where whoever connects is trusted.
    init(_ tokens: Tokens?, limits: GatewayLimits) {
        state = Mutex(
            State(
                tokens: tokens,
                guesses: GuessLimiter(
                    failuresMax: limits.wrongTokensMax, addressesMax: limits.guessAddressesMax)))
    }

    /// Whether a command needs a token.
    var needsToken: Bool { state.withLock { $0.tokens != nil } }

    func identity(ofToken token: String, from address: ClientAddress) throws(WireError) -> Identity {
        let id = Tokens.ID(token.utf8)
        let (user, verdict): (UserID?, GuessLimiter.Verdict) = state.withLock { state in
            let user = state.tokens?.user(of: id)
            return (user, state.guesses.judge(id, isRight: user != nil, from: address, now: .now))
        }
        switch verdict {
        case .granted:
            if let user { return Identity(user: user, token: id) }
        case .wrong: break
        case .mustWait(let duration):
            let seconds = Int(duration.components.seconds) + 1
            throw WireError(
                .busy, "too many wrong tokens came from this address; try again in \(seconds) s", field: "token",
                retrySeconds: seconds)
        }
        throw WireError(.unauthorized, "the token is not known", field: "token")
    }

    func isGood(_ identity: Identity) -> Bool {
        state.withLock { $0.tokens?.user(of: identity.token) == identity.user }
    }

    /// From now on these are good, and no others.
    func replace(by tokens: Tokens) { state.withLock { $0.tokens = tokens } }
}
