internal import CLibPQ

extension ConnectionConfiguration {
    /// The connection string without its password, and the password, for a program that is started with it: arguments
    /// are seen by everybody on the machine.
    public var withPasswordApart: (connectionString: String?, password: String?) {
        guard let connectionString, let options = PQconninfoParse(connectionString, nil) else {
            return (connectionString, nil)
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
