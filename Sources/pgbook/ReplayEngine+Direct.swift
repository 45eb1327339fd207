import ArgumentParser
import Exchange
import OrderBook
import Store

/// How commands of a replay go into the database.
enum ReplayEntrance: String, ExpressibleByArgument, CaseIterable {
    /// Entered and executed in one transaction, as the gateway of a node alone does it.
    case direct
    /// Entered by `pgbook_data.enter`, then matched from the inbox, as psql and nodes with a window do it.
    case logged
}

extension ReplayEngine {
    /// Enters and executes commands in one transaction; what was left to the entrance is matched right after.
    func enterDirectly(_ entries: [Entry], _ direct: DirectExchange) throws -> [Admission] {
        var batches = direct.submit(entries)
        batches += direct.finish()
        guard let batch = batches.first, batches.count == 1 else { throw ReplayFault.disturbed(market.symbol) }
        if direct.hasLogged {
            try matchInbox()
            direct.tookLogged()
            direct.forget(market.number)
        }
        return try batch.results.map(\.admission)
    }
}
