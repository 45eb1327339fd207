#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One contiguous, growing buffer that values are written into in PostgreSQL's binary format.
///
/// Kept between statements: in the steady state writing a parameter allocates nothing.
public struct PostgresWriter: ~Copyable {
    private(set) var base: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes written.
    public private(set) var count = 0
    /// Set when a text held a NUL, which PostgreSQL cannot store.
    var foundNul = false

    init(capacity: Int = 4096) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func removeAll() {
        count = 0
        foundNul = false
        guard capacity > PostgresLimits.parameterBufferKeptBytes else { return }
        base.deallocate()
        capacity = 4096
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Where `byteCount` more bytes go; they count as written.
    mutating func extend(by byteCount: Int) -> UnsafeMutableRawPointer {
        if count + byteCount > capacity { grow(to: count + byteCount) }
        let place = base + count
        count += byteCount
        return place
    }

    private mutating func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    /// Big-endian, as everything in the protocol.
    public mutating func write<T: FixedWidthInteger>(_ value: T) {
        extend(by: MemoryLayout<T>.size).storeBytes(of: value.bigEndian, as: T.self)
    }

    public mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        extend(by: bytes.count).copyMemory(from: source, byteCount: bytes.count)
    }

    /// The UTF-8 bytes of a text.
    public mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            guard let source = utf8.baseAddress else { return }
            if memchr(source, 0, utf8.count) != nil { foundNul = true }
            extend(by: utf8.count).copyMemory(from: source, byteCount: utf8.count)
        }
    }

    /// Leaves room for the length of what follows; `endSized` fills it in.
    mutating func beginSized() -> Int {
        write(Int32(0))
        return count
    }

    mutating func endSized(_ start: Int) {
        (base + start - 4).storeBytes(of: Int32(count - start).bigEndian, as: Int32.self)
    }

    /// A value after its length in bytes; NULL is length -1. This is how array elements and COPY fields look.
    mutating func writeField(_ value: some PostgresEncodable) {
        if value.isPostgresNull { return write(Int32(-1)) }
        let start = beginSized()
        value.encode(into: &self)
        endSized(start)
    }

    /// The head of a one-dimensional array. An empty array has no dimension at all.
    mutating func writeArrayHead(count: Int, hasNull: Bool, element: PostgresType) {
        write(Int32(count == 0 ? 0 : 1))
        write(Int32(hasNull ? 1 : 0))
        write(element.rawValue)
        guard count > 0 else { return }
        write(Int32(count))
        write(Int32(1))
    }

    /// An array whose elements all take `MemoryLayout<Word>.size` bytes: one growth, then plain stores.
    @inline(__always)
    mutating func writeArray<Element, Word: FixedWidthInteger>(
        _ elements: [Element], type: PostgresType, _ word: (Element) -> Word
    ) {
        writeArrayHead(count: elements.count, hasNull: false, element: type)
        let stride = 4 + MemoryLayout<Word>.size
        var place = extend(by: elements.count * stride)
        let length = Int32(MemoryLayout<Word>.size).bigEndian
        for element in elements {
            place.storeBytes(of: length, as: Int32.self)
            (place + 4).storeBytes(of: word(element).bigEndian, as: Word.self)
            place += stride
        }
    }
}
