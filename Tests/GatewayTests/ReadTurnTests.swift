import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

@Suite struct ReadTurnTests {
    /// A connection that counts how often it may read.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0
        func read(context: ChannelHandlerContext) { count += 1 }
    }

    private let loop = EmbeddedEventLoop()
    private let turns: ReadTurns
    private let home = ClientAddress(IPAddress("192.0.2.1")!)

    init() {
        turns = ReadTurns(on: loop, limits: GatewayLimits(readBytesPerTurn: 4_096, readTurnMicroseconds: 100))
    }

    private func connection() throws -> (EmbeddedChannel, Reads) {
        let reads = Reads()
        let channel = EmbeddedChannel(handlers: [reads, ReadTurn(turns, of: home)], loop: loop)
        channel.pipeline.read()
        return (channel, reads)
    }

    private func arrive(_ bytes: Int, at channel: EmbeddedChannel) throws {
        try channel.writeInbound(ByteBuffer(repeating: 1, count: bytes))
        channel.pipeline.read()
    }

    @Test func `who floods waits for the others, and who sends little reads on`() throws {
        let flooding = try (0..<4).map { _ in try connection() }
        let (quiet, quietReads) = try connection()
        #expect(flooding.map(\.1.count) == [1, 1, 1, 1])
        // All had been waiting for bytes, and get them together.
        for (channel, _) in flooding { try arrive(4_096, at: channel) }
        try arrive(100, at: quiet)
        #expect(flooding.map(\.1.count) == [1, 1, 1, 1])
        loop.advanceTime(by: .microseconds(100))
        // The one that had least is first.
        #expect(quietReads.count == 2)
        for _ in 0..<4 { loop.advanceTime(by: .microseconds(100)) }
        #expect(flooding.map(\.1.count) == [2, 2, 2, 2])
    }

    @Test func `who is gone is passed over`() throws {
        let (first, _) = try connection()
        let (gone, _) = try connection()
        let (last, lastReads) = try connection()
        for channel in [first, gone, last] { try arrive(4_096, at: channel) }
        #expect(lastReads.count == 1)
        gone.close(promise: nil)
        loop.run()
        for _ in 0..<4 { loop.advanceTime(by: .microseconds(100)) }
        #expect(lastReads.count == 2)
    }

    @Test func `connections are accepted at their pace`() throws {
        let reads = Reads()
        let pace = AcceptPace(GatewayLimits(connectionsPerSecond: 1_000, connectionsBurst: 2))
        let server = EmbeddedChannel(handlers: [reads, pace], loop: loop)
        loop.advanceTime(by: .seconds(1))
        for _ in 0..<10 {
            server.pipeline.read()
            if reads.count > 0 { try server.writeInbound(EmbeddedChannel(loop: loop) as any Channel) }
        }
        // Two, and one on credit.
        #expect(reads.count == 3)
        server.pipeline.read()
        loop.advanceTime(by: .milliseconds(1))
        #expect(reads.count == 4)
    }
}

@Suite struct BusyPaceTests {
    @Test func `an address that was told too often waits, and its sockets read on one after the other`() {
        let (home, away) = (ClientAddress(IPAddress("192.0.2.1")!), ClientAddress(IPAddress("192.0.2.2")!))
        var pace = BusyPace(perSecond: 100, burst: 10, addressesMax: 4)
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        #expect(told(&pace, home, 10, start) == nil)
        // Ten more than it may have takes a tenth of a second.
        #expect(told(&pace, home, 10, start) == .milliseconds(100))
        #expect(told(&pace, away, 1, start) == nil)
        let later = start + .milliseconds(200)
        var resumed = pace
        #expect(resume(&resumed, home, later) == nil)
        #expect((resume(&resumed, home, later) ?? .zero) > .milliseconds(200))
    }

    private func told(
        _ pace: inout BusyPace, _ address: ClientAddress, _ times: Int, _ now: NIODeadline
    ) -> TimeAmount? {
        pace.told(address, times: times)
        return pace.pause(address, now: now)
    }

    private func resume(_ pace: inout BusyPace, _ address: ClientAddress, _ now: NIODeadline) -> TimeAmount? {
        pace.resume(address, now: now)
    }
}
