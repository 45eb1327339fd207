import Glibc

/// Which parser: its name stands in PGBOOK_FUZZ.
private let parser: FuzzedParser = {
    guard let name = getenv("PGBOOK_FUZZ").map({ String(cString: $0) }), let parser = FuzzedParser(rawValue: name)
    else {
        fatalError("PGBOOK_FUZZ must be one of: \(FuzzedParser.allCases.map(\.rawValue).joined(separator: " "))")
    }
    return parser
}()

/// What libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    parser.parse(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
