import ArgumentParser
import Glibc
import OrderBook
import Postgres
import Store

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "A market's book and trades, live in the terminal.",
        discussion: """
            q or Ctrl-C ends it. Where standard output is no terminal, it prints a frame for every change.

            Example:
              pgbook watch BTC-USD
            """)

    @Argument(help: "The market; may be left out where there is one only.")
    var market: String?
    @Option(help: "Levels per side (default: what fits, or 10).")
    var depth: Int?
    @Option(help: "At most one frame in this time.")
    var interval = TimeSpan(.milliseconds(100))
    @Option(help: "End after so many frames.")
    var frames: Int?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if let depth {
            guard (1...limitMax).contains(depth) else {
                throw ValidationError("--depth \(depth) is outside 1 to \(limitMax)")
            }
        }
        try interval.require("--interval", .zero ... .seconds(3600))
        if let frames { guard frames > 0 else { throw ValidationError("--frames \(frames) is not above zero") } }
    }

    func run() throws {
        let connection = try connection.connect(for: .serving)
        let market = try connection.theMarket(market)
        try connection.listenForOutcomes()
        let watch = Watch(connection, market: market, depth: depth, interval: interval.duration, framesMax: frames)
        if Screen.standard.isTerminal, !output.json {
            try watch.onScreen()
        } else {
            try watch.asFrames(json: output.json)
        }
    }
}

private struct Watch {
    let connection: Connection
    let market: String
    let depth: Int?
    let interval: Duration
    let framesMax: Int?
    /// How long a lost notification can delay a frame.
    let pollInterval: Duration = .seconds(1)
    /// How long a pressed key may go unseen.
    let keyInterval: Duration = .milliseconds(50)

    init(_ connection: Connection, market: String, depth: Int?, interval: Duration, framesMax: Int?) {
        self.connection = connection
        self.market = market
        self.depth = depth
        self.interval = interval
        self.framesMax = framesMax
    }

    private struct Picture: Equatable {
        var levels: [LevelRecord]
        var trades: [TradeRecord]
    }

    private func look(depth: Int, trades: Int) throws -> Picture {
        try connection.readAtOneMoment { connection in
            Picture(
                levels: try connection.bookLevels(market, depth: Int32(depth)),
                trades: trades > 0 ? try connection.latestTrades(market, limit: Int32(trades)) : [])
        }
    }

    /// One frame after another, each different from the one before.
    func asFrames(json: Bool) throws {
        let interruption = Interruption(of: connection.interrupt)
        var last: Picture?
        var count = 0
        while !interruption.hasCome {
            let began = ContinuousClock.now
            let picture = try look(depth: depth ?? 10, trades: 5)
            if picture != last {
                if json {
                    print(bookJSON(market, picture.levels))
                } else {
                    printLines(lines(picture, width: 80))
                }
                if !json { print("") }
                flushOutput()
                last = picture
                count += 1
                if count == framesMax { return }
            }
            pause(until: began + interval) { !interruption.hasCome }
            _ = try connection.waitForBatch(pollInterval)
        }
        throw Failure(.interrupted)
    }

    /// The terminal's other screen, drawn in place; the old one is put back at the end, whatever ended it.
    func onScreen() throws {
        let interruption = Interruption(of: connection.interrupt)
        let keyboard = Keyboard.take()
        print("\u{1B}[?1049h\u{1B}[?25l", terminator: "")
        defer {
            print("\u{1B}[?25h\u{1B}[?1049l", terminator: "")
            flushOutput()
        }
        var count = 0
        while true {
            let began = ContinuousClock.now
            let (columns, rows) = Screen.size
            let levels = depth ?? max(1, (rows - 12) / 2)
            let picture = try look(depth: levels, trades: max(0, min(8, rows - 6 - 2 * levels)))
            draw(lines(picture, width: columns), rows: rows)
            count += 1
            if count == framesMax { return }
            var isChanged = false
            while ContinuousClock.now < began + interval || !isChanged {
                if interruption.hasCome { throw Failure(.interrupted) }
                if let key = keyboard?.nextByte(milliseconds: 0) {
                    if key == 0x03 { throw Failure(.interrupted) }
                    if key == UInt8(ascii: "q") || key == 0x04 || key == 0 { return }
                }
                if try connection.waitForBatch(keyInterval) || ContinuousClock.now > began + pollInterval {
                    isChanged = true
                }
            }
        }
    }

    private func pause(until time: ContinuousClock.Instant, while isWanted: () -> Bool) {
        while isWanted(), ContinuousClock.now < time { usleep(1000) }
    }

    private func draw(_ lines: [String], rows: Int) {
        let shown = lines.prefix(rows - 1).map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        print(
            "\u{1B}[H\(shown)\u{1B}[J\u{1B}[\(rows);1H\(Screen.standard.styled("q ends", .dim))\u{1B}[K", terminator: ""
        )
        flushOutput()
    }

    private func lines(_ picture: Picture, width: Int) -> [String] {
        var lines = Ladder(market: market, levels: picture.levels).lines(on: .standard, width: width)
        guard !picture.trades.isEmpty else { return lines }
        var table = Table(("trade", .right), ("time", .left), ("side", .left), ("price", .point), ("amount", .point))
        for trade in picture.trades {
            table.add(
                "\(trade.id.rawValue)", trade.time.short, trade.side.word, "\(trade.price)", "\(trade.amount)",
                style: trade.side == .bid ? .bid : .ask)
        }
        lines.append("")
        return lines + table.lines(on: .standard)
    }
}
