import OrderBook
import Replay
import Testing

private let workload = """
    seq,type,side,ioc,qty,order_id,price
    0,0,1,0,10,7,101
    1,0,1,0,10,8,102
    2,0,0,1,15,9,101
    3,2,1,0,4,8,100
    4,0,0,0,3,7,100
    5,1,0,0,0,8,0
    6,1,0,0,0,8,0
    7,2,1,0,4,55,100
    """

/// Id 7 is used again in message 4, when its first order is dead.
private let reports = """
    0,0,1,7,101,10
    0,1,1,8,102,10
    0,2,0,9,101,15
    1,2,101,10,7,9
    2,2,0,9,101
    3,3,1,8,100,4
    0,4,0,7,100,3
    1,4,100,3,8,7
    2,5,1,8,100
    4,6,8
    5,7,55
    """

@Test func `every kind of message has its reports`() throws {
    var reader = ConformanceReader([UInt8](workload.utf8))
    var run = ConformanceRun()
    while let message = try reader.next() { run.execute(message) }
    #expect(String(decoding: run.takeReports(), as: UTF8.self) == reports + "\n")
    #expect(run.messageCount == 8)
    #expect(run.tradeCount == 2)
    #expect(run.book.orderCount == 0)
}

@Test func `the digest of a workload is that of its reports joined by line feeds`() throws {
    #expect(try ConformanceRun.digest(of: [UInt8](workload.utf8)).digest == SHA256.hash(reports.utf8))
}

@Test func `a workload's line that cannot be read is named`() {
    for line in ["0,0,2,1,75,1773,33041", "0,3,0,1,75,1773,33041", "0,0,0,1,75,1773", "a,0,0,1,75,1773,1"] {
        let error = #expect(throws: ReplayError.self) { try ConformanceRun.digest(of: [UInt8](line.utf8)) }
        #expect(error?.line == 1)
    }
}
