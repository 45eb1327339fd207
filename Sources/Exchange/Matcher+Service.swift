import Logging
public import Store

extension Matcher {
    /// Runs until the task is cancelled. The database may go away and come back meanwhile.
    /// - Parameter database: must log in with the node's role.
    public func run(database: StoreConfiguration) async {
        await withDiscardingTaskGroup { group in
            let watch = MatcherWatch(health, limits, logger: logger)
            group.addTask { await watch.run(database) }
            await database.keepRunning(waitMax: .seconds(1)) { error, wait in
                health.disconnected(because: "the database cannot be used: \(error)")
                logger.warning(
                    "not matching: the database cannot be used",
                    metadata: ["error": "\(error)", "retry_in": "\(wait)"])
            } _: { connection in
                logger.info("matching")
                try run(on: connection)
            }
            group.cancelAll()
        }
    }
}
