/// Every bound of exports and imports.
public enum ExportLimits {
    /// Bytes of text gathered before they are written.
    static let bufferBytes = 256 << 10
    /// Bytes of one row at most: some names, times and numbers of a hundred digits.
    static let rowBytesMax = 8 << 10
    public static let timePatternBytesMax = 64
    static let timeBytesMax = 256
    /// Bytes written before the kernel is asked to begin storing them, so that the last sync is short.
    static let writebackBytes = 8 << 20
    /// Files of one export that is split.
    static let filesMax = 100_000
}
