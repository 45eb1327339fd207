import OrderBook
import Replay
import Testing

@Test(arguments: ["real/hand", "real/bitstamp_2015-05-01", "random/mixed_s1", "random/deep_s1"])
func `a recorded stream gives its recorded results, byte for byte`(name: String) throws {
    let isPacked = name.contains("bitstamp")
    guard let commands = try SharedData.bytes("\(name).commands.csv\(isPacked ? ".gz" : "")"),
        let expected = try SharedData.bytes("\(name).expected.out")
    else { return }
    var run = StreamRun(commands)
    SharedData.expectEqual(try run.run(), expected, name)
}

@Test(arguments: ["flash-crash", "normal", "static", "swing-25", "swing-40"])
func `a conformance workload gives its published reports`(name: String) throws {
    guard let workload = try SharedData.bytes("conformance/\(name)_n5000_s23.csv"),
        let expected = try SharedData.bytes("conformance/\(name)_n5000_s23.expected.txt")
    else { return }
    var reader = ConformanceReader(workload)
    var run = ConformanceRun()
    while let message = try reader.next() { run.execute(message) }
    let reports = run.takeReports()
    SharedData.expectEqual(expected.last == UInt8(ascii: "\n") ? reports : reports.dropLast(), expected, name)
    var digest = ReportDigest()
    // In two parts, as a long run hands them over.
    let middle = reports.firstIndex(of: UInt8(ascii: "\n"))! + 1
    digest.update(Array(reports[..<middle]))
    digest.update(Array(reports[middle...]))
    #expect(digest.finalize() == SHA256.hash(expected.last == UInt8(ascii: "\n") ? expected.dropLast() : expected[...]))
}
