import HTTPTypes
import Hummingbird
import NIOCore
import OrderBook
import Wire

/// Answers of the HTTP side: JSON with the same messages as the WebSocket.
enum HTTPAnswer {
    static func json(_ message: some ServerMessage, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: message.encoded())))
    }

    static func text(
        _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// - Parameter status: the code's own, if left out.
    static func error(_ error: WireError, status: HTTPResponse.Status? = nil) -> Response {
        var response = json(ErrorMessage(error), status: status ?? self.status(of: error.code))
        if error.code == .busy { response.headers[.retryAfter] = "\(error.retrySeconds ?? 1)" }
        if error.code == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        // One who guesses does so over connections of its own.
        if error.retrySeconds != nil { response.headers[.connection] = "close" }
        return response
    }

    static func status(of code: ErrorCode) -> HTTPResponse.Status {
        switch code {
        case .busy: .tooManyRequests
        case .unavailable, ErrorCode(.notReady): .serviceUnavailable
        case .unauthorized: .unauthorized
        case .tooBig: .contentTooLarge
        case .badJSON, .badUTF8, .badValue, .badID, .missingField, .unknownField, .unknownType: .badRequest
        case ErrorCode(.unknownMarket), ErrorCode(.unknownOrder), .notFound: .notFound
        case ErrorCode(.notYours), ErrorCode(.notPermitted), .notAllowed: .forbidden
        case ErrorCode(.duplicate): .conflict
        default: .unprocessableContent
        }
    }
}
