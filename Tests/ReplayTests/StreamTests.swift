import OrderBook
import Replay
import Testing

private func results(_ stream: String) throws -> String {
    var run = StreamRun([UInt8](stream.utf8))
    return String(decoding: try run.run(), as: UTF8.self)
}

private struct StreamCase: CustomTestStringConvertible {
    var testDescription: String
    var stream: String
    var expected: String

    init(_ rule: String, _ stream: String, _ expected: String) {
        testDescription = rule
        self.stream = stream
        self.expected = expected
    }
}

@Test(arguments: [
    StreamCase("comments and empty lines count for nothing", "# a\n\nplace,1,B,limit,5,2\n", "B,B,5,2,1\n"),
    StreamCase(
        "a file may end without a line feed, and lines may end in CRLF",
        "place,1,B,limit,5,2\r\ncancel,9", "X,2,unknown\nB,B,5,2,1\n"),
    StreamCase(
        "an id ever used is refused, also when its order is gone",
        "place,1,B,limit,5,2\ncancel,1\nplace,1,B,limit,5,2\n", "X,3,duplicate\n"),
    StreamCase(
        "an amount of zero is bad, and its id stays free",
        "place,1,B,limit,5,0\nplace,1,B,limit,5,2\n", "X,1,bad\nB,B,5,2,1\n"),
    StreamCase("a limit without a price is bad", "place,1,B,limit,0,2\n", "X,1,bad\n"),
    StreamCase("a market order with a price is bad", "place,1,B,market,7,2\n", "X,1,bad\n"),
    StreamCase("a reduction by zero is bad", "place,1,B,limit,5,2\nreduce,1,0\n", "X,2,bad\nB,B,5,2,1\n"),
    StreamCase(
        "a reduction by all that is open cancels",
        "place,1,B,limit,5,2\nreduce,1,2\ncancel,1\n", "X,3,unknown\n"),
    StreamCase(
        "trades after a replace bear the new id, trades before it the old one",
        "place,1,S,limit,10,4\nplace,2,B,ioc,10,1\nreplace,1,7,9,3\nplace,3,B,limit,9,1\n",
        "T,2,2,1,10,1\nT,4,3,7,9,1\nB,S,9,2,1\n"),
    StreamCase(
        "a replace that trades is the taker under its new id",
        "place,1,S,limit,10,4\nplace,2,B,limit,8,4\nreplace,2,5,10,6\n", "T,3,5,1,10,4\nB,B,10,2,1\n"),
    StreamCase(
        "a replaced id is dead", "place,1,S,limit,10,4\nreplace,1,2,11,4\ncancel,1\ncancel,2\n", "X,3,unknown\n"),
    StreamCase(
        "a replaced id stays used", "place,1,S,limit,10,4\nreplace,1,2,11,4\nplace,1,S,limit,10,1\n",
        "X,3,duplicate\nB,S,11,4,1\n"),
    StreamCase(
        "a replace of an order that is gone is unknown, and uses its new id",
        "replace,1,2,11,4\nplace,2,S,limit,10,4\ncancel,2\n", "X,1,unknown\nX,2,duplicate\nX,3,unknown\n"),
    StreamCase(
        "a replace onto a used id is refused and leaves the order",
        "place,1,S,limit,10,4\nplace,2,S,limit,11,4\nreplace,1,2,12,4\n", "X,3,duplicate\nB,S,10,4,1\nB,S,11,4,1\n"),
    StreamCase(
        "a snapshot leaves missing levels empty",
        "place,1,S,limit,10,4\nsnap,a,2\n", "S,a,10,4,,,,,,\nB,S,10,4,1\n"),
])
private func `a stream gives these results`(_ row: StreamCase) throws {
    #expect(try results(row.stream) == row.expected)
}

@Test(arguments: [
    "place,1,B,limit,5", "place,1,B,limit,5,2,3", "place,1,X,limit,5,2", "place,1,B,stop,5,2", "cancel,", "cancel,x",
    "cancel,9223372036854775808", "reduce,1", "snap,a,-1", "snap,a,10001", "hello", "cancel,1,", "replace,1,2,3",
])
func `a line that cannot be read is named`(line: String) {
    let error = #expect(throws: ReplayError.self) { try results("place,1,B,limit,5,2\n\(line)\n") }
    #expect(error?.line == 2)
    #expect(error?.text == line)
}

@Test func `the results of a stream do not depend on when outcomes are read`() throws {
    let stream = "place,1,S,limit,10,4\nplace,2,B,limit,8,4\nreplace,2,5,10,2\nreplace,1,6,12,1\nplace,7,B,ioc,20,3\n"
    // All commands are mapped before the first is executed, and all are executed before the first is rendered.
    var reader = StreamReader([UInt8](stream.utf8))
    var mapper = StreamMapper(run: 77)
    var commands: [StreamCommand] = []
    while let item = try reader.next() {
        if case .execute(let command) = mapper.step(for: item) { commands.append(command) }
    }
    var book = OrderBook(state: MarketState(), completeness: .complete)
    let outcomes = commands.map {
        book.execute(Command(id: $0.id, time: Timestamp(0), market: "M", user: UserID("u"), action: $0.action))
    }
    let journal = book.takeJournal()
    var renderer = StreamRenderer(run: 77)
    for (index, command) in commands.enumerated() {
        renderer.render(
            command, outcomes[index], trades: journal.trades.filter { $0.seq == journal.executions[index].seq })
    }
    renderer.render(finalBids: book.levels(.bid), asks: book.levels(.ask))
    #expect(String(decoding: renderer.take(), as: UTF8.self) == (try results(stream)))
}

@Test func `ids of a run are its own and count from one`() {
    var (first, second) = (RunIdentifiers(run: 1), RunIdentifiers(run: 2))
    let id = first.next()
    #expect(id == OrderID("00000000-0000-8001-8000-000000000001"))
    #expect(first.number(of: id) == 1)
    #expect(first.number(of: second.next()) == nil)
    #expect(first.number(of: first.absent) == nil)
}
