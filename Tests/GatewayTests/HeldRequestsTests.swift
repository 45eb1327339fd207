import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Testing

@testable import Gateway

@Suite struct HeldRequestsTests {
    private func head(_ path: String) -> HTTPRequestPart {
        .head(HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path))
    }

    private func paths(_ parts: [HTTPRequestPart]) -> [String] {
        parts.map { part in
            switch part {
            case .head(let head): head.path ?? ""
            case .body(let bytes): "\(bytes.readableBytes)"
            case .end: "end"
            }
        }
    }

    /// The macro cannot change what it looks at.
    private func with<Value>(_ requests: inout HeldRequests, _ body: (inout HeldRequests) -> Value) -> Value {
        body(&requests)
    }

    @Test func `a request is served when it has come whole, and the next when that was answered`() {
        var requests = HeldRequests()
        #expect(with(&requests) { $0.add(head("/1"), bodyBytesMax: 10) } == false)
        #expect(!requests.canServeNext)
        #expect(with(&requests) { $0.wishToRead() } == false)
        _ = requests.add(.body(ByteBuffer(repeating: 0, count: 10)), bodyBytesMax: 10)
        #expect(!requests.canServeNext)
        _ = requests.add(.end(nil), bodyBytesMax: 10)
        _ = requests.add(head("/2"), bodyBytesMax: 10)
        _ = requests.add(.end(nil), bodyBytesMax: 10)
        #expect(requests.canServeNext)
        #expect(with(&requests) { paths($0.serveNext()) } == ["/1", "10", "end"])
        #expect(!requests.canServeNext)
        #expect(with(&requests) { $0.serveNext().isEmpty })
        requests.wasAnswered()
        #expect(with(&requests) { paths($0.serveNext()) } == ["/2", "end"])
        #expect(!requests.holdsWhole)
    }

    @Test func `what nobody would read is refused before it has come whole, and the rest of it follows`() {
        var requests = HeldRequests()
        _ = requests.add(head("/1"), bodyBytesMax: 10)
        _ = requests.add(.body(ByteBuffer(repeating: 0, count: 11)), bodyBytesMax: 10)
        #expect(requests.canServeNext)
        #expect(with(&requests) { paths($0.serveNext()) } == ["/1", "11"])
        #expect(with(&requests) { $0.add(.body(ByteBuffer(repeating: 0, count: 5)), bodyBytesMax: 10) } == true)
        #expect(with(&requests) { $0.add(.end(nil), bodyBytesMax: 10) } == true)
        #expect(with(&requests) { $0.add(head("/2"), bodyBytesMax: 10) } == false)
    }

    @Test func `nothing is read and no end is told while something waits`() {
        var requests = HeldRequests()
        #expect(with(&requests) { $0.keep(ChannelEvent.inputClosed) } == false)
        _ = requests.add(head("/1"), bodyBytesMax: 10)
        _ = requests.add(.end(nil), bodyBytesMax: 10)
        #expect(with(&requests) { $0.wishToRead() } == true)
        #expect(with(&requests) { $0.keep(ChannelEvent.inputClosed) } == true)
        _ = requests.serveNext()
        #expect(with(&requests) { $0.takeWish() } == true)
        #expect(with(&requests) { $0.takeWish() } == false)
        #expect(with(&requests) { $0.takeEvents().count } == 1)
        #expect(with(&requests) { $0.takeEvents().isEmpty })
    }
}
