import Wire

/// Whom a request may come from, by what browsers say of the page that sends it. A value: it decides, and has no IO.
///
/// A browser sends requests of any page to any address. It names the page in `Origin`, which a page cannot change; and a
/// page whose own name was pointed at this machine (DNS rebinding) gives itself away by `Host`. Programs send what they
/// like: for them there are tokens.
struct Doors: Sendable {
    /// Names and addresses of this server, in lower case, beside this machine's own.
    private let names: Set<String>
    /// Other origins whose pages may come in.
    private let origins: Set<String>

    /// What is looked at.
    struct Request {
        var hosts: [String]
        var origins: [String]
        /// Where the request names it: `GET http://host/path`.
        var target: String
        /// Anything but reading.
        var isCommand: Bool
        /// The address that the client has connected to, without its port.
        var localAddress: String?
    }

    struct Fault: Error {
        enum Kind { case badRequest, misdirected, forbidden, wrongContent }
        var kind: Kind
        var error: WireError
    }

    init(host: String, publicNames: [String], allowedOrigins: [String]) {
        names = Set(([host] + publicNames).map { $0.lowercased() })
        origins = Set(allowedOrigins.compactMap { Origin($0)?.text })
    }

    /// - Returns: the other origin that the request comes from and that is allowed.
    func check(_ request: Request) throws(Fault) -> String? {
        guard request.target.utf8.first == UInt8(ascii: "/") || request.target == "*" else {
            throw Fault(
                kind: .badRequest,
                error: WireError(.badValue, "the target of the request must be a path such as /book", field: "target"))
        }
        guard request.hosts.count == 1, let host = Authority(request.hosts[0]) else {
            throw Fault(
                kind: .badRequest,
                error: WireError(
                    .badValue, "the request must have one Host header, with a name or an address", field: "Host"))
        }
        guard isOwn(host, localAddress: request.localAddress) else {
            throw Fault(
                kind: .misdirected,
                error: WireError(
                    .notAllowed, "this server is not \"\(host.name.prefix(80))\"; if it should be: --public-name",
                    field: "Host"))
        }
        return try checkOrigin(request, host)
    }

    private func isOwn(_ host: Authority, localAddress: String?) -> Bool {
        if host.name == "localhost" || names.contains(host.name) { return true }
        guard let address = host.address else { return false }
        return address.isLoopback || localAddress.flatMap { IPAddress($0) } == address
            || names.contains { IPAddress($0) == address }
    }

    private func checkOrigin(_ request: Request, _ host: Authority) throws(Fault) -> String? {
        guard !request.origins.isEmpty else { return nil }
        let origin = request.origins.count == 1 ? Origin(request.origins[0]) : nil
        if let origin, origin.isOf(host) { return nil }
        if let origin, origins.contains(origin.text) { return origin.text }
        // Its browser gives a page of another origin nothing that was only read.
        guard request.isCommand else { return nil }
        throw Fault(
            kind: .forbidden,
            error: WireError(
                .notAllowed,
                "pages of \"\(request.origins.joined(separator: ", ").prefix(80))\" may not do this; if they should: --allow-origin",
                field: "Origin"))
    }

    /// Why something given as an allowed origin is none, in one line.
    static func fault(ofOrigin text: String) -> String? {
        Origin(text) == nil
            ? "\"\(text)\" is not an origin; one looks like https://example.com or http://localhost:3000" : nil
    }

    /// Why something given as a public name is none.
    static func fault(ofName text: String) -> String? {
        guard let name = Authority(text), name.port == nil else {
            return "\"\(text)\" is not a name; one looks like book.example.com or 192.0.2.1, without a port"
        }
        return nil
    }
}

/// A page's origin: `https://example.com:8443`.
private struct Origin {
    let scheme: String
    let authority: Authority

    init?(_ text: String) {
        let parts = text.lowercased().split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["http", "https"].contains(parts[0]), let authority = Authority(String(parts[1])) else {
            return nil
        }
        scheme = String(parts[0])
        self.authority = authority
    }

    private func port(of authority: Authority) -> Int { authority.port ?? (scheme == "https" ? 443 : 80) }

    /// As a browser writes it: without the port that the scheme implies.
    var text: String {
        let name = authority.name.contains(":") ? "[\(authority.name)]" : authority.name
        let isUsual = port(of: authority) == (scheme == "https" ? 443 : 80)
        return "\(scheme)://\(name)\(isUsual ? "" : ":\(port(of: authority))")"
    }

    /// Whether a page of it was served under that `Host`. A proxy may have taken the TLS off on the way.
    func isOf(_ host: Authority) -> Bool { authority.name == host.name && port(of: authority) == port(of: host) }
}

/// A name or an address, and perhaps a port.
private struct Authority {
    /// In lower case; an IPv6 address without its brackets.
    let name: String
    let port: Int?
    let address: IPAddress?

    init?(_ text: String) {
        let text = text.lowercased()
        var name = Substring(text)
        var rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            name = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            guard IPAddress(String(name)) != nil else { return nil }
        } else {
            name = text.prefix { $0 != ":" }
            rest = text[name.endIndex...]
            if name.hasSuffix(".") { name.removeLast() }
            guard name.utf8.allSatisfy({ Self.isNameByte($0) }) else { return nil }
        }
        guard !name.isEmpty, name.utf8.count <= 255 else { return nil }
        if rest.isEmpty {
            port = nil
        } else {
            rest.removeFirst()
            guard rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(rest) else { return nil }
            port = Int(number)
        }
        self.name = String(name)
        address = IPAddress(self.name)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
}
