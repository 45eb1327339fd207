public import Store

/// Runs analytics on a connection. Rows are handed over as they arrive: memory does not depend on their number.
///
///     let analytics = Analytics(connection)
///     try analytics.run(.vwap(AnalyticsBuckets("1h")), of: AnalyticsRange(market: "BTC-USD")) { columns in
///         print(columns.map(\.name))
///     } forEach: { row in
///         print(row)
///     }
public struct Analytics {
    private let connection: StoreConnection

    public init(_ connection: StoreConnection) { self.connection = connection }

    /// - Parameters:
    ///   - columns: called once, before the first row.
    ///   - body: gets a row's values as PostgreSQL writes them; nil is unknown.
    /// - Returns: the number of rows.
    /// - Throws: `Rejection` for a market, range or option that the function refuses.
    @discardableResult
    public func run(
        _ statistic: Statistic, of range: AnalyticsRange, columns: ([StoreColumn]) throws -> Void,
        forEach body: ([String?]) throws -> Void
    ) throws -> Int {
        try connection.streamAnalytics(
            statistic.function, market: range.market, from: range.start, to: range.to, options: statistic.options,
            columns: columns, forEach: body)
    }
}
