import TestRandom
import Testing

@testable import Gossip

@Suite struct CreditAccountTests {
    private var limits: MeshLimits {
        var limits = MeshLimits()
        limits.inboxBytesMax = 1_000
        return limits
    }

    @Test func `credit comes back once a quarter of it was taken`() {
        var account = CreditAccount(limits: limits)
        #expect(account.open() == 1_000)
        #expect(account.receive(600) == true)
        #expect(account.take(200, isOpen: true) == nil)
        #expect(account.take(100, isOpen: true) == 300)
        #expect(account.held == 300)
    }

    @Test func `more than was given is refused`() {
        var account = CreditAccount(limits: limits)
        _ = account.open()
        #expect(account.receive(1_000) == true)
        #expect(account.receive(1) == false)
    }

    /// Else a peer could fill the memory by connecting again and again while nobody takes anything.
    @Test func `a new connection gets only what earlier ones left`() {
        var account = CreditAccount(limits: limits)
        _ = account.open()
        #expect(account.receive(900) == true)
        account.close()
        #expect(account.open() == 100)
        #expect(account.take(900, isOpen: true) == 900)
    }

    @Test(arguments: [UInt64](1...3)) func `a peer never has more in flight and waiting than the whole`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var account = CreditAccount(limits: limits)
        var credit = account.open()
        var waiting: [Int] = []
        for _ in 0..<20_000 {
            let cost = Int.random(in: 24...300, using: &generator)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                account.close()
                credit = account.open()
            case ..<11:
                guard cost <= credit else { continue }
                #expect(account.receive(cost) == true, "seed \(seed)")
                credit -= cost
                waiting.append(cost)
            default:
                guard !waiting.isEmpty else { continue }
                credit += account.take(waiting.removeFirst(), isOpen: true) ?? 0
            }
            #expect(credit + waiting.reduce(0, +) <= 1_000, "seed \(seed)")
            #expect(!waiting.isEmpty || credit >= 750, "seed \(seed): it starves")
        }
    }
}
