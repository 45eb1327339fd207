/// A name as it stands in SQL, whatever is in it. For the few statements that take no parameters, such as LISTEN.
public func quotedIdentifier(_ name: String) -> String {
    "\"" + name.replacing("\"", with: "\"\"") + "\""
}

/// A text as it stands in SQL, whatever is in it. For the few statements that take no parameters, such as CREATE ROLE.
public func quotedLiteral(_ text: String) -> String {
    let doubled = text.replacing("'", with: "''")
    // Only the E form means the same whether or not the server takes backslashes as they are.
    return text.utf8.contains(0x5C) ? "E'" + doubled.replacing("\\", with: "\\\\") + "'" : "'" + doubled + "'"
}
