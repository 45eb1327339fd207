import NIOCore
import NIOEmbedded
import Replication
import Testing

@testable import Gossip

/// Which of two connections stays, and what the consumer sees.
@Suite struct MeshStateTests {
    private let b = NodeName("b")!
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func state(_ change: (inout MeshLimits) -> Void = { _ in }) -> MeshState {
        var limits = MeshLimits()
        change(&limits)
        return MeshState(peers: [b], limits: limits, now: start)
    }

    private func link(_ id: UInt64, isDialledByEarlier: Bool) -> Link {
        Link(
            id: id, isDialledByEarlier: isDialledByEarlier, channel: EmbeddedChannel(), wake: {},
            end: { _ in })
    }

    private func isGranted(_ claim: MeshState.Claim) -> Bool { if case .granted = claim { true } else { false } }

    private func waiting(_ state: inout MeshState) -> [String] {
        var events: [String] = []
        while let next = state.take() {
            switch next {
            case .connected: events.append("connected")
            case .disconnected: events.append("disconnected")
            case .message(_, let payload): events.append("message \(payload[0])")
            case .snapshotRequest: events.append("request")
            }
        }
        return events
    }

    @Test(arguments: [true, false])
    func `of two connections both nodes keep the one that the earlier name dialled`(earlierFirst: Bool) {
        var state = state()
        let order = [earlierFirst, !earlierFirst]
        let claims = order.enumerated().map { index, isEarlier in
            state.claim(b, link(UInt64(index), isDialledByEarlier: isEarlier), now: start)
        }
        #expect(isGranted(claims[0]))
        #expect(isGranted(claims[1]) == !earlierFirst)
        #expect(state.peers[b]?.link?.isDialledByEarlier == true)
    }

    @Test func `a connection that seems dead gives way`() {
        var state = state()
        #expect(isGranted(state.claim(b, link(1, isDialledByEarlier: true), now: start)) == true)
        let soon = start + .milliseconds(state.limits.staleAfter - 1)
        #expect(isGranted(state.claim(b, link(2, isDialledByEarlier: false), now: soon)) == false)
        #expect(isGranted(state.claim(b, link(3, isDialledByEarlier: false), now: soon + .milliseconds(1))) == true)
    }

    @Test func `who dials again has given up its earlier connection`() {
        var state = state()
        #expect(isGranted(state.claim(b, link(1, isDialledByEarlier: true), now: start)) == true)
        #expect(isGranted(state.claim(b, link(2, isDialledByEarlier: true), now: start)) == true)
    }

    @Test func `the consumer sees one connection end before the next begins, and messages between`() throws {
        var state = state()
        _ = state.claim(b, link(1, isDialledByEarlier: false), now: start)
        #expect(state.open(b, 1, credit: 0) == true)
        #expect(state.open(b, 1, credit: 0) == false)
        #expect(try state.receive(.message, [1], from: b, 1, now: start) == true)
        _ = state.claim(b, link(2, isDialledByEarlier: true), now: start)
        // What still comes on the old connection is not the peer's any more.
        #expect(try state.receive(.message, [2], from: b, 1, now: start) == false)
        state.end(b, 1)
        #expect(state.open(b, 2, credit: 0) == true)
        #expect(try state.receive(.message, [3], from: b, 2, now: start) == true)
        #expect(waiting(&state) == ["connected", "message 1", "disconnected", "connected", "message 3"])
    }

    @Test func `while the consumer stands still, connections that come and go do not fill the queue`() throws {
        var state = state {
            $0.frameBytesMax = 100
            $0.inboxBytesMax = 1_000
        }
        for id in 1...1_000 as ClosedRange<UInt64> {
            guard case .granted(let credit, _) = state.claim(b, link(id, isDialledByEarlier: true), now: start) else {
                continue
            }
            #expect(state.open(b, id, credit: 0) == true)
            for _ in 0..<credit / 25 { _ = try state.receive(.message, [7], from: b, id, now: start) }
            #expect(throws: LinkFault.self) { try state.receive(.message, [8], from: b, id, now: start) }
            state.end(b, id)
        }
        #expect(state.waiting.count <= 42)
        let events = waiting(&state)
        #expect(events == ["connected"] + Array(repeating: "message 7", count: 40) + ["disconnected"])
    }

    @Test func `a request for a snapshot waits once, however often it is made`() {
        var state = state()
        for _ in 0..<100 { state.appendRequest(of: b) }
        #expect(waiting(&state) == ["request"])
        state.appendRequest(of: b)
        #expect(waiting(&state) == ["request"])
    }

    @Test func `nothing is sent before both sides have opened, nor after the end`() {
        var state = state()
        #expect(state.send([1], .other, to: b) == nil)
        _ = state.claim(b, link(1, isDialledByEarlier: true), now: start)
        #expect(state.send([1], .other, to: b) == nil)
        #expect(state.open(b, 1, credit: 1_000) == true)
        // The consumer does not know of it yet: what it sends is meant for an earlier connection.
        #expect(state.send([1], .other, to: b) == nil)
        #expect(waiting(&state) == ["connected"])
        #expect(state.send([1], .other, to: b) == nil)
        state.begin(ConnectionID(link: 1), with: b)
        #expect(state.send([2], .other, to: b) == .queued)
        state.end(b, 1)
        #expect(state.nextFrames(to: b, 1, bytesMax: 100).isEmpty == true)
        _ = state.claim(b, link(2, isDialledByEarlier: true), now: start)
        #expect(state.open(b, 2, credit: 1_000) == true)
        #expect(state.nextFrames(to: b, 2, bytesMax: 100).isEmpty == true)
        // Whoever begins late with the one that is gone does not speak on its successor.
        state.begin(ConnectionID(link: 1), with: b)
        #expect(state.send([3], .other, to: b) == nil)
        #expect(state.send([3], .other, to: NodeName("stranger")!) == nil)
    }
}
