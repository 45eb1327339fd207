import OrderBook

extension Command {
    func write(to writer: inout ByteWriter) {
        id.write(to: &writer)
        writer.word(time.rawValue)
        writer.text(market)
        writer.text(user.rawValue)
        writer.text(origin)
        writer.optional(clientOrderID) { $0.text($1) }
        action.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            id: try OrderID(from: &reader), time: Timestamp(try reader.word("a command's time")),
            market: try reader.text("a market"), user: UserID(try reader.text("a user")),
            origin: try reader.text("an origin"),
            clientOrderID: try reader.optional("a client's id") { reader throws(CodecError) in
                try reader.text("a client's id")
            },
            action: try Action(from: &reader))
    }
}

extension OrderID {
    func write(to writer: inout ByteWriter) {
        writer.word(high)
        writer.word(low)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        self.init(high: try reader.unsignedWord("an id"), low: try reader.unsignedWord("an id"))
    }
}

extension Command.Action {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .place(let place):
            writer.byte(1)
            place.write(to: &writer)
        case .amend(let amend): amend.write(to: &writer)
        case .cancel(let target):
            writer.byte(5)
            target.write(to: &writer)
        case .cancelAll(let selection):
            writer.byte(6)
            writer.optional(selection.owner) { $0.text($1.rawValue) }
            writer.optional(selection.side) { $0.byte($1.rawValue) }
        case .halt: writer.byte(7)
        case .resume: writer.byte(8)
        case .expire: writer.byte(9)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        switch try reader.byte("an action") {
        case 1: self = .place(try Place(from: &reader))
        case 2:
            let target = try OrderID(from: &reader)
            let amount = try reader.optional("an amount") { reader throws(CodecError) in try AmountLots(from: &reader) }
            let price = try reader.optional("a price") { reader throws(CodecError) in try PriceTicks(from: &reader) }
            self = .amend(Amend(target: target, change: .to(amount: amount, price: price)))
        case 3:
            self = .amend(Amend(target: try OrderID(from: &reader), change: .reduce(by: try AmountLots(from: &reader))))
        case 4:
            let target = try OrderID(from: &reader)
            let open = try AmountLots(from: &reader)
            self = .amend(Amend(target: target, change: .replace(open: open, price: try PriceTicks(from: &reader))))
        case 5: self = .cancel(try OrderID(from: &reader))
        case 6: self = .cancelAll(try CancelAll(from: &reader))
        case 7: self = .halt
        case 8: self = .resume
        case 9: self = .expire
        case let other: throw CodecError("action \(other) is unknown")
        }
    }
}

extension Amend {
    fileprivate func write(to writer: inout ByteWriter) {
        switch change {
        case .to(let amount, let price):
            writer.byte(2)
            target.write(to: &writer)
            writer.optional(amount) { $0.small($1.rawValue) }
            writer.optional(price) { $0.small($1.rawValue) }
        case .reduce(let by):
            writer.byte(3)
            target.write(to: &writer)
            writer.small(by.rawValue)
        case .replace(let open, let price):
            writer.byte(4)
            target.write(to: &writer)
            writer.small(open.rawValue)
            writer.small(price.rawValue)
        }
    }
}

extension CancelAll {
    fileprivate init(from reader: inout ByteReader) throws(CodecError) {
        self.init(
            owner: try reader.optional("an owner") { reader throws(CodecError) in
                UserID(try reader.text("an owner"))
            },
            side: try reader.optional("a side") { reader throws(CodecError) in try Side(from: &reader) })
    }
}
