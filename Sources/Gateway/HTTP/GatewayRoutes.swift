import HTTPTypes
import Hummingbird
import MarketData
import NIOCore
import OrderBook
import Store
import Wire

/// What HTTP offers beside the WebSocket.
struct GatewayRoutes: Sendable {
    let directory: MarketDirectory
    let readiness: Readiness
    let orders: OrderRoutes
    let candles: CandleRoutes
    let hub: Hub
    let metrics: GatewayMetrics
    let limits: GatewayLimits
    let marketData: MarketDataLimits
    let doors: Doors

    func router() -> Router<GatewayContext> {
        let router = Router(context: GatewayContext.self)
        router.add(middleware: DoorKeeper(doors: doors))
        router.add(middleware: UpgradeRefusal())
        router.add(middleware: ReadinessMark(readiness: readiness))
        router.get("/") { _, _ in page() }
        router.get("/health") { _, _ in HTTPAnswer.text("ok\n") }
        router.get("/ready") { request, _ in ready(request) }
        router.get("/metrics") { _, _ in HTTPAnswer.text(metrics.text(sockets: hub.socketCount)) }
        router.get("/book") { request, _ in answer { () throws(WireError) in try book(request) } }
        router.get("/trades") { request, _ in answer { () throws(WireError) in try trades(request) } }
        router.get("/candles") { request, context in await candles.show(request, context) }
        router.post("/orders") { request, context in await orders.place(request, context) }
        router.delete("/orders") { request, context in await orders.delete(request, context) }
        router.get("/orders/:id") { request, context in
            await orders.show(context.parameters.get("id") ?? "", request, context)
        }
        return router
    }

    private func answer(_ body: () throws(WireError) -> Response) -> Response {
        do { return try body() } catch { return HTTPAnswer.error(error) }
    }

    private func page() -> Response {
        var response = HTTPAnswer.text(LivePage.html, type: "text/html; charset=utf-8")
        response.headers[.contentSecurityPolicy] = LivePage.policy
        return response
    }

    /// One line, then what there is to warn of, a line each; or the same as JSON.
    private func ready(_ request: Request) -> Response {
        let (reason, warnings) = (readiness.notReady, readiness.warnings)
        let status: HTTPResponse.Status = reason == nil ? .ok : .serviceUnavailable
        if request.uri.queryParameters["format"] == "json"
            || request.headers[.accept]?.contains("application/json") ?? false
        {
            return HTTPAnswer.json(ReadinessMessage(notReadyBecause: reason, warnings: warnings), status: status)
        }
        let lines = [reason.map { "not ready: \($0)" } ?? "ready"] + warnings.map { "warning: \($0)" }
        return HTTPAnswer.text(lines.map { $0 + "\n" }.joined(), status: status)
    }

    private func book(_ request: Request) throws(WireError) -> Response {
        let entry = try market(request)
        let depth = try number(request, "depth", max: marketData.bookDepth) ?? marketData.bookDepth
        guard let book = entry.book else {
            throw WireError(.busy, "the book of \(entry.market.symbol) is being read; try again")
        }
        return HTTPAnswer.json(BookMessage(book, in: entry, depth: depth))
    }

    private func trades(_ request: Request) throws(WireError) -> Response {
        let entry = try market(request)
        let limit = try number(request, "limit", max: marketData.recentTrades) ?? limits.tradesOnOpen
        return HTTPAnswer.json(TradesMessage(entry.recentTrades.suffix(limit), in: entry))
    }

    private func market(_ request: Request) throws(WireError) -> MarketDirectory.Entry {
        guard let security = request.uri.queryParameters["security"].map({ String($0) }) else {
            throw WireError(.missingField, "say which market: ?security=…", field: "security")
        }
        guard let entry = directory[security] else {
            throw WireError(.init(.unknownMarket), "there is no market \"\(security.prefix(40))\"", field: "security")
        }
        return entry
    }

    private func number(_ request: Request, _ name: String, max: Int) throws(WireError) -> Int? {
        guard let text = request.uri.queryParameters[Substring(name)] else { return nil }
        guard let number = Int(text), (1...max).contains(number) else {
            throw WireError(.badValue, "\(name) \"\(text.prefix(20))\" is not a number from 1 to \(max)", field: name)
        }
        return number
    }
}

/// No upgrade happens outside `/ws`: the answer says that the connection ends with it.
private struct UpgradeRefusal: RouterMiddleware {
    typealias Context = GatewayContext

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if request.headers[.upgrade] != nil { response.headers[.connection] = "close" }
        return response
    }
}

/// Nothing that may be stale goes out as fresh: while this node is not ready every answer says why.
private struct ReadinessMark: RouterMiddleware {
    typealias Context = GatewayContext

    let readiness: Readiness

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let reason = readiness.notReady, let name = HTTPField.Name("Pgbook-Not-Ready") {
            response.headers[name] = reason
        }
        return response
    }
}
