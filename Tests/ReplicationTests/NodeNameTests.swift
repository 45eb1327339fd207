import Replication
import Testing

struct NodeNameTests {
    @Test(arguments: ["a", "node-1", "9", String(repeating: "x", count: 32)])
    func `these are names`(_ text: String) { #expect(NodeName(text)?.rawValue == text) }

    @Test(arguments: ["", "-a", "A", "é", "a b", "a\u{0}", String(repeating: "x", count: 33)])
    func `these are not`(_ text: String) { #expect(NodeName(text) == nil) }

    @Test func `names are ordered by their bytes`() throws {
        let names = try ["node-10", "node-2", "9", "a", "node-1"].map { try #require(NodeName($0)) }
        #expect(names.sorted().map(\.rawValue) == ["9", "a", "node-1", "node-10", "node-2"])
    }
}
