import ArgumentParser
import OrderBook
import Replay

/// Which orders a contestant gets.
struct FlowOptions: ParsableArguments {
    enum Name: String, ExpressibleByArgument, CaseIterable {
        case crossing, many, deep, normal, real
    }

    @Option(
        help: """
            crossing: half of the orders rest, half trade at once with about two makers each; many: the same over 64 \
            markets in turn; deep: the same with --resting orders far from the touch; normal: a published conformance \
            workload (--file); real: a recorded stream of commands (--file).
            """)
    var flow: Name

    @Option(help: "How many orders, 1 to 100000000; of a file the first.")
    var orders = 100_000

    @Option(help: "For deep: orders that rest before the measurement begins.")
    var resting = 1_000_000

    @Option(help: "For normal and real: the file; .gz is unpacked.")
    var file: String?

    @Option(help: "What the generated orders begin with; the same number gives the same orders.")
    var seed: UInt64 = 1

    func validate() throws {
        guard 1...100_000_000 ~= orders else {
            throw ValidationError("--orders \(orders) is not within 1 to 100000000")
        }
        guard 1...10_000_000 ~= resting else {
            throw ValidationError("--resting \(resting) is not within 1 to 10000000")
        }
        let isRecorded = flow == .normal || flow == .real
        guard isRecorded == (file != nil) else {
            throw ValidationError(
                isRecorded ? "--flow \(flow.rawValue) needs --file" : "--flow \(flow.rawValue) takes no --file")
        }
    }

    var marketCount: Int { flow == .many ? 64 : 1 }

    /// - Parameter run: tells the ids of runs into one database apart. Its lower 32 bits are not used.
    func makeFlow(run: UInt64) throws -> any Flow {
        switch flow {
        case .crossing, .many, .deep:
            CrossingFlow(orders: orders, markets: marketCount, seed: seed, run: run)
        case .normal:
            ConformanceFlow(try ReplayInput.read(file ?? ""), orders: orders, run: run)
        case .real:
            StreamFlow(try ReplayInput.read(file ?? ""), orders: orders, run: run)
        }
    }

    /// What rests before the measurement begins; nil if nothing does.
    func makeRestingFlow(run: UInt64) -> (any Flow)? {
        flow == .deep ? RestingFlow(orders: resting, seed: seed, run: run | 1 << 20) : nil
    }
}
