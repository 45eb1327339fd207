import HTTPTypes
import Hummingbird
import NIOCore
import OrderBook
import Store
import Wire

/// Orders over HTTP: placed, cancelled and looked up. A client that wants to hear of them takes the WebSocket.
struct OrderRoutes: Sendable {
    let directory: MarketDirectory
    let desk: CommandDesk
    let reader: MarketDataReader
    let access: Access
    let limits: WireLimits

    func place(_ request: Request, _ context: GatewayContext) async -> Response {
        do throws(WireError) {
            let body = try AddOrderBody.parse(try await bytes(of: request), limits: limits)
            let sender = try sender(of: request, named: body.userID, context)
            context.waits()
            let entered = try await enter(
                Entry(id: IDMaker.orderID(), user: sender.user, .add(body.order)), from: sender)
            let (id, clientOrderID) = (entered.id, body.order.clientOrderID)
            if entered.isRetry, let state = try await state(of: id) { return HTTPAnswer.json(state) }
            if let state = entered.state, let message = message(state, clientOrderID: clientOrderID) {
                return HTTPAnswer.json(message)
            }
            return HTTPAnswer.json(OrderMessage(pending: body.order, id: id), status: .accepted)
        } catch {
            return HTTPAnswer.error(error)
        }
    }

    /// Answers when the cancel is in the log; what became of it, `GET /orders/ID` tells.
    func delete(_ request: Request, _ context: GatewayContext) async -> Response {
        do throws(WireError) {
            let body = try DeleteOrderBody.parse(try await bytes(of: request), limits: limits)
            let sender = try sender(of: request, named: body.userID, context)
            context.waits()
            _ = try await enter(Entry(id: IDMaker.orderID(), user: sender.user, .delete(body.id)), from: sender)
            return HTTPAnswer.text("{}\n", type: "application/json", status: .accepted)
        } catch {
            return HTTPAnswer.error(error)
        }
    }

    /// What became of an order. Whoever knows its id may ask; where there are tokens, who has one.
    func show(_ text: String, _ request: Request, _ context: GatewayContext) async -> Response {
        do throws(WireError) {
            if access.needsToken { _ = try user(of: request, named: nil, from: context.address) }
            guard let id = OrderID(text) else {
                throw WireError(.badID, "\"\(text.prefix(40))\" is not a UUID", field: "id")
            }
            context.waits()
            guard let state = try await state(of: id) else {
                throw WireError(.init(.unknownOrder), "no order \(id) was executed yet", field: "id")
            }
            return HTTPAnswer.json(state)
        } catch {
            return HTTPAnswer.error(error)
        }
    }

    private func state(of id: OrderID) async throws(WireError) -> OrderMessage? {
        do {
            return try await reader.commandStates([id]).first.flatMap { message($0, clientOrderID: nil) }
        } catch {
            throw WireError(.unavailable, "the database cannot be read; try again")
        }
    }

    /// Nil where the market is not known yet.
    private func message(_ state: CommandState, clientOrderID: String?) -> OrderMessage? {
        directory[state.market].map { OrderMessage(state, in: $0, clientOrderID: clientOrderID) }
    }

    private struct Entered {
        var id: OrderID
        var isRetry: Bool
        var state: CommandState?
    }

    private func enter(_ entry: Entry, from sender: Sender) async throws(WireError) -> Entered {
        let answer = await withCheckedContinuation { continuation in
            desk.submit(entry, from: sender) { continuation.resume(returning: $0) }
        }
        if case .receipt(let receipt) = answer, case .admitted(let id, let isRetry) = receipt.admission {
            return Entered(id: id, isRetry: isRetry, state: isRetry ? nil : receipt.state)
        }
        throw WireError(answer) ?? WireError(.unavailable, "the command was not answered")
    }

    private func bytes(of request: Request) async throws(WireError) -> [UInt8] {
        do {
            let buffer = try await request.body.collect(upTo: limits.messageBytesMax)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw WireError(.tooBig, "the body has more than \(limits.messageBytesMax) bytes")
        } catch {
            throw WireError(.badJSON, "the body could not be read")
        }
    }

    private func sender(
        of request: Request, named: UserID?, _ context: GatewayContext
    ) throws(WireError) -> Sender {
        Sender(address: context.address, user: try user(of: request, named: named, from: context.address))
    }

    /// A token says who asks. Without tokens whoever reaches this address is trusted to say so.
    private func user(of request: Request, named: UserID?, from address: ClientAddress) throws(WireError) -> UserID {
        if let token = try BearerToken.find(in: request.headers[values: .authorization]) {
            let identity = try access.identity(ofToken: token, from: address)
            guard named == nil || named == identity.user else {
                throw WireError(.unauthorized, "the token speaks for another user", field: "userId")
            }
            return identity.user
        }
        guard !access.needsToken else {
            throw WireError(.unauthorized, "a token is needed: Authorization: Bearer …")
        }
        guard let named else { throw WireError(.missingField, "say for whom: userId", field: "userId") }
        return named
    }
}
