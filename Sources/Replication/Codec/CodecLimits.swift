/// What one message may hold. A sender keeps far below; a receiver refuses what is above.
public enum CodecLimits {
    /// The first byte of every message: how the rest is written.
    public static let version: UInt8 = 1
    /// Bytes of one text: a user id of 64 characters has at most 256.
    public static let textBytesMax = 256
    public static let itemsMax = 4_096
    public static let proposalsMax = 4_096
    public static let idsMax = 16_384
    public static let rangesMax = 4_096
    /// A cluster has at most nine.
    public static let membersMax = 9
    public static let marketsMax = 4_096
    /// Bytes of one part of a snapshot.
    public static let snapshotChunkBytesMax = 256 << 10
    /// Bytes of what stands before a snapshot's parts.
    public static let snapshotHeaderBytesMax = 64 << 10
}
