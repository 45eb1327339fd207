/// Lines under construction: comma-separated fields, written straight as bytes.
struct LineWriter {
    private(set) var bytes: [UInt8]

    init(reusing bytes: consuming [UInt8]) { self.bytes = bytes }

    mutating func field(_ value: Int64) {
        separate()
        append(value)
    }

    mutating func field(_ value: Int128) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func field(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func separate() {
        if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func append(_ value: Int64) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = value.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
