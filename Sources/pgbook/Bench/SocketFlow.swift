import NIOCore
import OrderBook
import Wire

/// Orders as frames, ready to be written: half of them rest, half trade with what rests.
struct SocketFlow: Sendable {
    /// In ticks. Makers' prices lie within `levels` of it, takers' at `levels` through it.
    private static let middle: Int64 = 1_000_000
    private static let levels: Int64 = 16
    /// Lots of one order.
    private static let amounts: [Int64] = [75, 85, 95, 105, 115, 125]
    /// Lots of both sides together within which makers and takers are drawn at random.
    private static let restingAimed: ClosedRange<Int64> = 1_600...12_800
    /// Lots by which one side may have asked for more than the other.
    private static let imbalanceMax: Int64 = 3_200

    /// By side, away from the middle, amount. 204 of them, made once.
    private let frames: [ByteBuffer]
    private let inTurn: Bool
    private var random: SplitMix
    /// As if every taker were filled.
    private var resting: Int64 = 0
    /// Lots bid less lots asked.
    private var imbalance: Int64 = 0
    private var count = 0

    /// - Parameter inTurn: an order rests, the next takes it whole, and so on.
    init(market: String, units: MarketUnits, seed: UInt64, inTurn: Bool) {
        self.inTurn = inTurn
        random = SplitMix(seed: seed)
        frames = [Side.bid, .ask].flatMap { side in
            (0...Self.levels).flatMap { level in
                Self.amounts.map { amount in
                    Self.frame(market: market, units: units, side: side, level: level, amount: amount)
                }
            }
        }
    }

    /// Level 0 is the taker's.
    private static func frame(
        market: String, units: MarketUnits, side: Side, level: Int64, amount: Int64
    ) -> ByteBuffer {
        let away = level == 0 ? levels : -level
        let price = PriceTicks(middle + (side == .bid ? away : -away))
        var text = Array(
            #"{"type":"add","security":"\#(market)","side":"\#(side == .bid ? "bid" : "ask")","amount":"#.utf8)
        units.append(AmountLots(amount), to: &text)
        text += Array(#","price":"#.utf8)
        units.append(price, to: &text)
        text.append(UInt8(ascii: "}"))
        return SocketFrame.text(text)
    }

    mutating func next() -> ByteBuffer {
        defer { count += 1 }
        guard !inTurn else { return frame(count % 4 < 2 ? .ask : .bid, level: count % 2 == 0 ? 1 : 0, amountIndex: 0) }
        let bits = random.next()
        let amountIndex = Int((bits >> 8) % UInt64(Self.amounts.count))
        let amount = Self.amounts[amountIndex]
        let side: Side =
            abs(imbalance) > Self.imbalanceMax ? (imbalance > 0 ? .ask : .bid) : bits & 1 == 0 ? .bid : .ask
        let takes = Self.restingAimed.contains(resting) ? bits & 2 == 0 : resting > Self.restingAimed.upperBound
        imbalance += side == .bid ? amount : -amount
        resting = max(0, resting + (takes ? -amount : amount))
        let level = takes ? 0 : 1 + Int((bits >> 32) % UInt64(Self.levels))
        return frame(side, level: level, amountIndex: amountIndex)
    }

    private func frame(_ side: Side, level: Int, amountIndex: Int) -> ByteBuffer {
        let row = (side == .bid ? 0 : Int(Self.levels) + 1) + level
        return frames[row * Self.amounts.count + amountIndex]
    }
}

/// A client's frames.
enum SocketFrame {
    static func text(_ payload: [UInt8]) -> ByteBuffer { frame(0x81, payload) }

    static func pong(_ payload: ByteBuffer) -> ByteBuffer { frame(0x8A, Array(payload.readableBytesView)) }

    /// A client must mask. The key of zeros leaves the bytes as they are, and costs the server as much as any other.
    private static func frame(_ firstByte: UInt8, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(firstByte)
        if payload.count < 126 {
            buffer.writeInteger(0x80 | UInt8(payload.count))
        } else {
            buffer.writeInteger(UInt8(0x80 | 126))
            buffer.writeInteger(UInt16(payload.count))
        }
        buffer.writeInteger(UInt32(0))
        buffer.writeBytes(payload)
        return buffer
    }
}
