import Logging
import Replication
import Store

extension Sidecar {
    /// Computes everything again from the log, now and then, on a connection of its own: a table that was changed by hand
    /// is found though all nodes agree on the commands.
    func checkNowAndThen(_ inbox: SidecarInbox) async {
        guard let interval = configuration.checkInterval, let check = configuration.check else {
            return await untilCancelled()
        }
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
                if let found = try await configuration.database.once(check) { await inbox.put(.damaged(found)) }
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("the tables could not be checked", metadata: ["error": "\(error)"])
            }
        }
    }

    private func untilCancelled() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}
