import Foundation
import OrderBook
import Replay
import Testing

private struct GateCase: Decodable {
    struct Message: Decodable {
        var type: Int64
        var side: Int64
        var ioc: Int64
        var qty: Int64
        var orderId: Int64
        var price: Int64
    }

    struct Book: Decodable, Equatable {
        var bids: [[Int64]]
        var asks: [[Int64]]
    }

    var messages: [Message]
    var expectedReports: [String]
    var finalBook: Book
}

@Test func `every gate case gives its reports and its final book`() throws {
    guard let bytes = try SharedData.bytes("conformance/gate_cases.json", leavingOut: 34) else { return }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    // The strategy leaves the keys of a dictionary alone: these are the names of the cases.
    let cases = try decoder.decode([String: GateCase].self, from: Data(bytes))
    #expect(cases.count == 34)
    for (name, gate) in cases {
        var run = ConformanceRun()
        for (seq, message) in gate.messages.enumerated() {
            run.execute(
                ConformanceMessage(
                    seq: Int64(seq), kind: try #require(.init(rawValue: message.type)),
                    side: message.side == 0 ? .bid : .ask, isImmediateOrCancel: message.ioc == 1, amount: message.qty,
                    orderID: message.orderId, price: message.price))
        }
        let expected = gate.expectedReports.map { $0 + "\n" }.joined()
        SharedData.expectEqual(run.takeReports(), [UInt8](expected.utf8), name)
        let book = GateCase.Book(bids: pairs(run.book.levels(.bid)), asks: pairs(run.book.levels(.ask)))
        #expect(book == gate.finalBook, "\(name)")
    }
}

private func pairs(_ levels: [Level]) -> [[Int64]] {
    levels.map { [$0.price.rawValue, Int64($0.amount)] }
}
