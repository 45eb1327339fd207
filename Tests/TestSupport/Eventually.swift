/// Asks again and again until a condition holds, and fails the test where it does not in time.
///
///     try await eventually("the order is filled") { try connection.execute(…).one().decode(at: 0) == "filled" }
public func eventually(
    _ what: String, within limit: Duration = .seconds(20), every interval: Duration = .milliseconds(10),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestFault("not within \(limit): \(what)") }
        try await Task.sleep(for: interval)
    }
}
