import Logging
public import Store

extension Matcher {
    /// Runs until the task is cancelled. The database may go away and come back meanwhile.
    /// - Parameter database: must log in with the node's role.
    public func run(database: StoreConfiguration) async {
        await database.keepRunning { error, wait in
            logger.warning(
                "not matching: the database cannot be used",
                metadata: ["error": "\(error)", "retry_in": "\(wait)"])
        } _: { connection in
            logger.info("matching")
            try run(on: connection)
        }
    }
}
