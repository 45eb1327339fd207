internal import CLibPQ

extension ConnectionConfiguration {
    /// The connection string without its password, and the password, for a program that is started with it: arguments
    /// are seen by everybody on the machine.
    /// - Throws: kind `connectFailed` where the string cannot be understood: what of it is a password is not known then.
    public func withPasswordApart() throws(PostgresError) -> (connectionString: String?, password: String?) {
        guard let connectionString else { return (nil, nil) }
        if let fault = ConnectionString.fault(of: connectionString) { throw PostgresError(.connectFailed, fault) }
        guard ConnectionString.isMoreThanName(connectionString) else { return (connectionString, nil) }
        guard let options = PQconninfoParse(connectionString, nil) else {
            throw PostgresError(.connectFailed, "out of memory")
        }
        defer { PQconninfoFree(options) }
        var password: String?
        var words: [String] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val.map({ String(cString: $0) }) {
                let name = String(cString: keyword)
                if name == "password" { password = value } else { words.append("\(name)='\(escaped(value))'") }
            }
            option += 1
        }
        return password == nil ? (connectionString, nil) : (words.joined(separator: " "), password)
    }
}

/// As libpq wants it between single quotes.
private func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
}
