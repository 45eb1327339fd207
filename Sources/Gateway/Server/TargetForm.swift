import NIOCore
import NIOHTTP1

/// Brings a request's target to a path, as the doors expect it. A target that names a server (`GET http://host/path`)
/// speaks louder than `Host` (RFC 9112, 3.2.2).
final class TargetForm: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), head.uri.utf8.first != UInt8(ascii: "/"), head.uri != "*"
        else {
            return context.fireChannelRead(data)
        }
        Self.bringToPath(&head)
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private static func bringToPath(_ head: inout HTTPRequestHead) {
        let parts = head.uri.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["http", "https"].contains(parts[0].lowercased()), head.headers["host"].count <= 1
        else {
            // No path, and nothing else that is served; a scheme in it would be taken off on the way.
            head.uri = "none"
            return
        }
        let authority = parts[1].prefix { $0 != "/" && $0 != "?" }
        let path = parts[1][authority.endIndex...]
        head.uri = path.hasPrefix("/") ? String(path) : "/" + path
        head.headers.replaceOrAdd(name: "Host", value: String(authority))
    }
}
