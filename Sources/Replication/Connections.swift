import OrderBook

extension Replicator {
    mutating func connected(_ name: NodeName) {
        guard let peer = index(of: name), peer != me else {
            actions.append(.disconnect(name, because: "\(name) is not a member of this cluster"))
            return
        }
        forgetConnection(peer)
        peers[peer].isConnected = true
        peers[peer].connectedAt = now.uptime
        peers[peer].heardAt = now.uptime
        let hello = Hello(
            clusterID: configuration.clusterID, members: members, window: configuration.window, markets: [])
        send(.hello(hello), to: peer)
    }

    mutating func disconnected(_ name: NodeName) {
        guard let peer = index(of: name), peers[peer].isConnected else { return }
        forgetConnection(peer)
        for origin in pulls.indices { pulls[origin].lose(peer) }
        guard !peers.contains(where: \.isConnected) else { return }
        level.aloneSince = now.uptime
        if level.isLevel { loseLevel("no peer is reachable") }
    }

    private mutating func forgetConnection(_ peer: Int) {
        peers[peer].isConnected = false
        peers[peer].isIntroduced = false
        peers[peer].isSynced = false
        peers[peer].echo = nil
        peers[peer].echoedNumber = 0
        peers[peer].snapshot = nil
        clock.forget(peer)
    }

    mutating func received(_ message: Message, from name: NodeName) {
        guard let peer = index(of: name), peers[peer].isConnected else { return }
        if let fault = message.fault { return hangUp(peer, .malformed, fault) }
        peers[peer].heardAt = now.uptime
        if case .hello(let hello) = message { return introduce(peer, hello) }
        guard peers[peer].isIntroduced else { return hangUp(peer, .malformed, "its first message was no hello") }
        switch message {
        case .hello: break
        case .items(let items): receive(items, from: peer)
        case .pull(let pull): answer(pull, from: peer)
        case .propose(let list): receive(list, from: peer)
        case .confirm(let ids): confirmed(ids, by: peer)
        case .withdraw(let ids): withdraw(ids, from: peer)
        case .heartbeat(let heartbeat): receive(heartbeat, from: peer)
        case .chainQuery(let time): answer(time, from: peer)
        case .chainAnswer(let point): receive(point, from: peer)
        case .late(let ranges): lateThere(ranges, at: peer)
        }
    }

    private mutating func introduce(_ peer: Int, _ hello: Hello) {
        guard hello.clusterID == configuration.clusterID else {
            return hangUp(peer, .mismatch, "it is of cluster \(hello.clusterID), this is \(configuration.clusterID)")
        }
        // While nodes learn one after the other of a new member, some know more than others.
        let theirs = Set(hello.members)
        guard theirs.isSubset(of: members) || theirs.isSuperset(of: members) else {
            let names = hello.members.map(\.rawValue).joined(separator: ", ")
            return hangUp(peer, .mismatch, "its members are \(names)")
        }
        peers[peer].hasSameMembers = theirs.count == members.count
        guard hello.window == configuration.window else {
            return hangUp(
                peer, .mismatch, "its window is \(hello.window) µs, here it is \(configuration.window) µs")
        }
        guard !peers[peer].isIntroduced else { return }
        peers[peer].isIntroduced = true
        repropose(to: peer)
        heartbeats.isDue = true
    }

    /// Ends a connection whose other side does what it must not.
    mutating func hangUp(_ peer: Int, _ kind: Report.Kind, _ text: String) {
        report(kind, peer, "\(members[peer]): \(text)")
        actions.append(.disconnect(members[peer], because: text))
    }

    mutating func disconnectSilent() {
        for peer in peers.indices where peers[peer].isConnected {
            let silence = now.uptime - peers[peer].heardAt
            guard silence > configuration.silenceMax else { continue }
            peers[peer].heardAt = now.uptime
            actions.append(.disconnect(members[peer], because: "silent for \(silence / 1_000) ms"))
        }
    }
}
