import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// What is known of a request beside what it says: where it comes from.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let address: ClientAddress
    let localAddress: String?
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        address = ClientAddress(source.channel.remoteAddress)
        localAddress = source.channel.localAddress?.ipAddress
    }

    /// From here on the request waits for somebody else: others are served meanwhile.
    func waits() { channel.triggerUserOutboundEvent(RequestWatch.TurnEnd(), promise: nil) }
}

/// Lets in what may come in, and tells browsers what pages may do with the answers.
struct DoorKeeper: RouterMiddleware {
    typealias Context = GatewayContext

    let doors: Doors

    @concurrent func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        var origin: String?
        do throws(Doors.Fault) {
            origin = try doors.check(Doors.Request(request, context))
            response = try await answer(request, context, origin, next)
        } catch {
            response = HTTPAnswer.error(error.error, status: error.status)
            response.headers[.connection] = "close"
        }
        for (name, value) in Self.headers where response.headers[name] == nil { response.headers[name] = value }
        if let origin { Self.allow(origin, &response.headers) }
        return response
    }

    private func answer(
        _ request: Request, _ context: Context, _ origin: String?,
        _ next: @concurrent (Request, Context) async throws -> Response
    ) async throws(Doors.Fault) -> Response {
        if request.method == .options, origin != nil { return Response(status: .noContent) }
        if let fault = contentFault(of: request) { throw fault }
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return HTTPAnswer.error(
                WireError(.notFound, "there is nothing at \(request.uri.path.prefix(80))"), status: .notFound)
        } catch let error as HTTPError {
            return HTTPAnswer.error(
                WireError(.badValue, error.body ?? "the request cannot be answered"), status: error.status)
        } catch {
            return HTTPAnswer.error(
                WireError(.unavailable, "the request failed here; try again"), status: .internalServerError)
        }
    }

    /// A page of any origin can send a form or plain text unasked; JSON its browser asks for first.
    private func contentFault(of request: Request) -> Doors.Fault? {
        switch request.method {
        case .get, .head, .options: return nil
        case .delete where !request.hasBody: return nil
        default: break
        }
        let type = request.headers[values: .contentType]
        let word = type.first?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type.count != 1 || word != "application/json" else { return nil }
        return Doors.Fault(
            kind: .wrongContent,
            error: WireError(
                .badValue, "the body must be JSON: send Content-Type: application/json", field: "Content-Type"))
    }

    /// Nothing of an answer is another page's, in whatever way it is loaded; and the live page stands in no frame.
    private static let headers: [(HTTPField.Name, String)] = [
        (.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"),
        (.xContentTypeOptions, "nosniff"),
        (HTTPField.Name("X-Frame-Options")!, "DENY"),
        (HTTPField.Name("Referrer-Policy")!, "no-referrer"),
        (HTTPField.Name("Cross-Origin-Resource-Policy")!, "same-origin"),
        (HTTPField.Name("Cross-Origin-Opener-Policy")!, "same-origin"),
    ]

    private static func allow(_ origin: String, _ headers: inout HTTPFields) {
        headers[.accessControlAllowOrigin] = origin
        headers[.vary] = "Origin"
        headers[.accessControlAllowMethods] = "GET, POST, PATCH, DELETE"
        headers[.accessControlAllowHeaders] = "Authorization, Content-Type"
        headers[.accessControlMaxAge] = "600"
        headers[HTTPField.Name("Cross-Origin-Resource-Policy")!] = "cross-origin"
    }
}

extension Doors.Request {
    fileprivate init(_ request: Request, _ context: GatewayContext) {
        // The first Host stands apart, any further one among the headers.
        let hosts = [request.head.authority].compactMap(\.self) + request.headers[values: HTTPField.Name("Host")!]
        self.init(
            hosts: hosts, origins: request.headers[values: .origin], target: request.head.path ?? "",
            isCommand: request.method != .get && request.method != .head, localAddress: context.localAddress)
    }
}

extension Request {
    fileprivate var hasBody: Bool {
        if headers[.transferEncoding] != nil { return true }
        return headers[.contentLength].map { $0 != "0" } ?? false
    }
}

extension Doors.Fault {
    fileprivate var status: HTTPResponse.Status {
        switch kind {
        case .badRequest: .badRequest
        case .misdirected: .misdirectedRequest
        case .forbidden: .forbidden
        case .wrongContent: .unsupportedMediaType
        }
    }
}
