/// What nodes say to each other while one copies the other's state. It passes the shells; the machine does not see it.
///
/// The taker asks and gives credit; the giver begins, sends no more parts than it has credit for, and ends. `copy` tells
/// one copying from the next on the same connection.
public enum SnapshotFrame: Hashable, Sendable {
    /// - Parameter credit: bytes of parts that the taker has room for.
    case request(copy: Int64, credit: Int64)
    /// - Parameter header: what the taker must know before the parts; the shell's own.
    case begin(copy: Int64, header: [UInt8])
    case chunk(copy: Int64, [UInt8])
    /// Nothing is missing if so many bytes of parts came.
    case end(copy: Int64, bytes: Int64)
    /// The giver does not give it, or not to its end.
    case refused(copy: Int64, because: String)
    /// The taker has room for so many bytes more.
    case credit(copy: Int64, Int64)
    /// The taker wants no more.
    case cancel(copy: Int64)

    public var copy: Int64 {
        switch self {
        case .request(let copy, _), .begin(let copy, _), .chunk(let copy, _), .end(let copy, _), .refused(let copy, _),
            .credit(let copy, _), .cancel(let copy):
            copy
        }
    }
}
