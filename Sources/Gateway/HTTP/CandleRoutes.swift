import History
import Hummingbird
import OrderBook
import Store
import Wire

/// Candles over HTTP: what `pgbook candles --json` prints.
struct CandleRoutes: Sendable {
    let reader: CandleReader

    func show(_ request: Request, _ context: GatewayContext) async -> Response {
        func parameter(_ name: Substring) -> String? { request.uri.queryParameters[name].map { String($0) } }
        guard let security = parameter("security") else {
            return HTTPAnswer.error(WireError(.missingField, "say which market: ?security=…", field: "security"))
        }
        // What cannot be a symbol cannot be asked for either: it may hold a zero byte.
        guard Bounds.isSymbol(security) else {
            return HTTPAnswer.error(
                WireError(
                    .init(.unknownMarket), "there is no market \"\(security.prefix(40))\"", field: "security"))
        }
        do {
            let asked = try CandleRequest(
                interval: parameter("interval"), from: parameter("from"), to: parameter("to"), fill: parameter("fill"),
                limit: parameter("limit"))
            context.waits()
            let candles = try await reader.candles(
                security, interval: asked.interval.rawValue, range: asked.range, fill: asked.fill, count: asked.count)
            return HTTPAnswer.text(CandleRecord.json(candles), type: "application/json")
        } catch let fault as CandleRequest.Fault {
            return HTTPAnswer.error(WireError(.badValue, fault.message, field: fault.field))
        } catch let rejection as Rejection {
            return HTTPAnswer.error(WireError(.init(rejection.code), rejection.message, field: rejection.field))
        } catch {
            return HTTPAnswer.error(WireError(.unavailable, "candles cannot be read now; try again"))
        }
    }
}
