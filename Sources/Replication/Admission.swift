import OrderBook

extension Replicator {
    /// Takes commands of other nodes: drops what is known, judges what is new, and stores it.
    mutating func receive(_ items: Items, from peer: Int) {
        // What is new elsewhere need not wait for this node, which stamps nothing: it says so at once.
        if items.reason == .pushed, !level.isLevel, mayPromise { heartbeats.isDue = true }
        guard !divergence.isRebuilding else { return }
        guard items.items.count <= configuration.itemsPerMessageMax else {
            return hangUp(peer, .malformed, "\(items.items.count) commands in one message")
        }
        var intake = Intake(sender: peer, reason: items.reason)
        for judged in items.items {
            guard take(judged, &intake) else { return }
        }
        finish(intake)
        if items.reason == .pulled { pulled(items, from: peer) }
    }

    /// What came with one message.
    private struct Intake {
        var sender: Int
        var reason: Items.Reason
        var new: [JudgedItem] = []
        var origins: [Int] = []
        var late: [(origin: Int, number: Int64)] = []
        var future = 0
        var settled: [OrderID] = []
    }

    /// - Returns: false if the connection was ended for it.
    private mutating func take(_ judged: JudgedItem, _ intake: inout Intake) -> Bool {
        let item = judged.item
        guard let origin = index(ofOrigin: item.command.origin), item.number > 0 else {
            hangUp(intake.sender, .forged, "command \(item.number) of \"\(item.command.origin)\"")
            return false
        }
        if logs[origin].known.contains(item.number), !flaws.contains(.duplicateNotDropped) { return true }
        if origin == me, level.isLevel || intake.reason != .pulled {
            guard !flaws.contains(.duplicateNotDropped) else { return true }
            hangUp(intake.sender, .forged, "command \(item.number) in this node's name, which has not given it")
            return false
        }
        guard fits(item, of: origin) else {
            hangUp(
                intake.sender, .malformed, "the stamp of command \(item.number) of \(members[origin]) is out of order")
            return false
        }
        // What is not taken now is pulled when there is room again.
        if intake.reason != .pulled, pools.count >= configuration.waitingMax {
            logs[origin].heardOf = max(logs[origin].heardOf, item.number)
            if !level.isLevel { level.leave(item.number, of: origin) }
            return true
        }
        guard let verdict = judge(judged) else {
            intake.future += 1
            logs[origin].heardOf = max(logs[origin].heardOf, item.number)
            return true
        }
        if verdict == .late { noteLate(judged, origin: origin, &intake) }
        if proposals.remove(item.command.id, from: origin) { intake.settled.append(item.command.id) }
        logs[origin].learn(number: item.number, stamp: item.stamp)
        peers[origin].keepPromises(contiguous: logs[origin].known.contiguous)
        if verdict == .accepted { pools.insert(item, of: origin) }
        if origin == me { numbering.recover(item) }
        intake.new.append(JudgedItem(item, verdict))
        intake.origins.append(origin)
        return true
    }

    private func fits(_ item: LogItem, of origin: Int) -> Bool {
        flaws.contains(.duplicateNotDropped) || logs[origin].fits(number: item.number, stamp: item.stamp)
    }

    /// What this node does with a command that is new to it; nil if it comes from a future that no clock should show.
    private func judge(_ judged: JudgedItem) -> Verdict? {
        if judged.item.isUnconfirmed { return .unconfirmed }
        // An origin refuses its own only when nobody has it, and then everybody must, whoever tells him. (Where the teller
        // himself had it too late others may have executed it; their chains will tell.)
        if judged.verdict != .accepted { return judged.verdict }
        if judged.item.stamp <= chain.closed.through { return .late }
        if judged.item.stamp.rawValue > now.wall.rawValue + configuration.window { return nil }
        return .accepted
    }

    private mutating func noteLate(_ judged: JudgedItem, origin: Int, _ intake: inout Intake) {
        counters.late += 1
        guard judged.verdict == .accepted else { return }
        peers[origin].lateHere += 1
        intake.late.append((origin, judged.item.number))
    }

    private mutating func finish(_ intake: Intake) {
        if !intake.settled.isEmpty { writer.add(.withdraw(intake.settled)) }
        if !intake.new.isEmpty { writer.store(intake.new, origins: intake.origins, sender: intake.sender) }
        if intake.future > 0 {
            report(
                .tooFarInFuture, intake.sender,
                "\(intake.future) commands by \(members[intake.sender]) are from more than the window ahead")
        }
        guard !intake.late.isEmpty else { return }
        for origin in members.indices {
            let numbers = intake.late.filter { $0.origin == origin }.map(\.number)
            guard !numbers.isEmpty else { continue }
            report(.late, origin, "\(numbers.count) commands of \(members[origin]) came too late")
            if origin != me, peers[origin].isReachable {
                send(.late(numbers.asRanges(of: members[origin])), to: origin)
            }
        }
    }

    /// A write is durable: now others may learn of it.
    mutating func written(_ number: WriteNumber, _ duplicates: [LogRange]) {
        guard let batch = writer.finish(number) else { return }
        if let bound = batch.bound { numbering.bound = max(numbering.bound, bound) }
        var numbered = batch.numbered
        for range in duplicates { refuseDuplicates(range, &numbered) }
        if !numbered.isEmpty { push(numbered) }
        for (judged, origin, sender) in batch.stored {
            logs[origin].durable.insert(judged.item.number)
            let isDuplicate = duplicates.contains {
                $0.origin == members[origin] && $0.numbers.contains(judged.item.number)
            }
            if judged.verdict == .accepted, !isDuplicate {
                relays.add(judged, origin: origin, sender: sender, now: now)
            }
        }
        if !batch.stored.isEmpty, level.isLevel || pools.isEmpty { heartbeats.isDue = true }
        for (peer, ids) in batch.proposed { proposalsStored(ids, from: peer) }
    }

    private mutating func refuseDuplicates(_ range: LogRange, _ numbered: inout [JudgedItem]) {
        guard let origin = index(of: range.origin) else { return }
        for number in range.numbers { pools.remove(number, of: origin) }
        report(
            .duplicate, origin, "command \(range.numbers.lowerBound) of \(range.origin) uses the id of an earlier one")
        guard origin == me else { return }
        holding.remove { range.numbers.contains($0.number) }
        for index in numbered.indices where range.numbers.contains(numbered[index].item.number) {
            numbered[index].verdict = .duplicate
        }
    }
}
