internal import CLibPQ

extension PostgresError {
    /// Nil where a database holds text in UTF-8. In any other encoding it could hold bytes that are no text here, and two
    /// spellings of one; in SQL_ASCII any bytes at all.
    static func unfitEncoding(_ handle: OpaquePointer) -> PostgresError? {
        // A pooler may not tell: the server behind it was asked when the schema was made.
        guard let encoding = PQparameterStatus(handle, "server_encoding").map({ String(cString: $0) }),
            encoding != "UTF8"
        else { return nil }
        let database = String(cString: PQdb(handle))
        return PostgresError(
            .connectFailed,
            "database \"\(database)\" has the encoding \(encoding), and text must be UTF-8; make another: "
                + "createdb --encoding UTF8 --template template0 NAME")
    }
}
