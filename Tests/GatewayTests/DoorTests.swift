import Testing

@testable import Gateway

/// Who may come in, as a table.
@Suite struct DoorTests {
    private let doors = Doors(
        host: "192.0.2.7", publicNames: ["Book.Example.com"],
        allowedOrigins: ["https://desk.example.org", "http://localhost:3000"])

    private func kind(
        host: [String] = ["localhost:8080"], origin: [String] = [], target: String = "/orders", isCommand: Bool = true,
        at localAddress: String? = "127.0.0.1"
    ) -> Doors.Fault.Kind? {
        do throws(Doors.Fault) {
            _ = try doors.check(
                .init(hosts: host, origins: origin, target: target, isCommand: isCommand, localAddress: localAddress))
            return nil
        } catch {
            return error.kind
        }
    }

    @Test(arguments: [
        "localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1", "127.0.0.1:8080", "127.9.8.7", "[::1]", "[::1]:8080",
        "[0:0:0:0:0:0:0:1]", "192.0.2.7", "192.0.2.7:80", "book.example.com", "BOOK.EXAMPLE.COM:443",
        "[::ffff:127.0.0.1]",
        "[::ffff:192.0.2.7]",
    ])
    func `its own names and addresses are let in`(host: String) {
        #expect(kind(host: [host]) == nil)
    }

    @Test(arguments: [
        "evil.example.com", "localhost.evil.example.com", "127.0.0.1.nip.io", "198.51.100.1", "[2001:db8::1]",
        "book.example.com.evil", "2130706433", "0x7f.1", "127.1", "0.0.0.0", "a_b",
    ])
    func `other names and addresses are not`(host: String) {
        #expect(kind(host: [host]) == .misdirected)
    }

    @Test(arguments: [
        [], [""], ["localhost", "localhost"], ["localhost", "evil.example.com"], ["localhost, evil"],
        ["user@localhost"],
        ["localhost:"], ["localhost:80x"], ["localhost:99999"], ["[::1"], ["[localhost]"], ["local host"],
        ["localhost/x"],
        ["::1"], ["lo\u{0131}calhost"],
    ])
    func `a Host that is none, or not one, is no request`(hosts: [String]) {
        #expect(kind(host: hosts) == .badRequest)
    }

    @Test func `the address that a client has reached is an own one`() {
        #expect(kind(host: ["198.51.100.1"], at: "198.51.100.1") == nil)
        #expect(kind(host: ["[2001:db8::1]:8080"], at: "2001:db8:0::1") == nil)
        #expect(kind(host: ["198.51.100.1"], at: "198.51.100.2") == .misdirected)
        #expect(kind(host: ["198.51.100.1"], at: nil) == .misdirected)
    }

    @Test(arguments: ["http://localhost/orders", "https://evil/", "evil", "", "//", "*x"])
    func `a target is a path`(target: String) {
        #expect(kind(target: target) == (target == "//" ? nil : .badRequest))
    }

    @Test(arguments: [
        "http://localhost:8080", "https://localhost:8080", "HTTP://LOCALHOST:8080", "https://desk.example.org",
        "https://desk.example.org:443", "http://localhost:3000",
    ])
    func `its own pages and those allowed may give commands`(origin: String) {
        #expect(kind(origin: [origin]) == nil)
    }

    @Test(arguments: [
        ["https://evil.example.com"], ["null"], [""], ["http://localhost"], ["http://localhost:8081"], ["file://"],
        ["http://127.0.0.1:8080"], ["https://desk.example.org.evil.com"], ["http://desk.example.org"],
        ["http://localhost:8080", "http://localhost:8080"], ["http://localhost:8080/"], ["ws://localhost:8080"],
        ["http://localhost:8080 http://evil"],
    ])
    func `pages of other origins may not`(origins: [String]) {
        #expect(kind(origin: origins) == .forbidden)
        // What they only read their browser keeps from them.
        #expect(kind(origin: origins, isCommand: false) == nil)
    }

    @Test func `a page without a port is compared with the port that its scheme implies`() {
        #expect(kind(host: ["book.example.com"], origin: ["https://book.example.com"]) == nil)
        #expect(kind(host: ["book.example.com"], origin: ["http://book.example.com"]) == nil)
        #expect(kind(host: ["book.example.com:443"], origin: ["https://book.example.com"]) == nil)
        #expect(kind(host: ["book.example.com:8443"], origin: ["https://book.example.com"]) == .forbidden)
    }

    @Test func `options that cannot be meant are refused at the start`() {
        #expect(GatewayConfiguration(publicNames: ["book.example.com:80"]).fault?.contains("without a port") == true)
        #expect(GatewayConfiguration(publicNames: ["a b"]).fault != nil)
        #expect(GatewayConfiguration(allowedOrigins: ["example.com"]).fault?.contains("is not an origin") == true)
        #expect(GatewayConfiguration(allowedOrigins: ["*"]).fault != nil)
        #expect(GatewayConfiguration(publicNames: ["b.example"], allowedOrigins: ["https://a.example"]).fault == nil)
    }
}
