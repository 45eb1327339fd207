/// Every bound of this layer.
public enum PostgresLimits {
    /// Prepared statements kept per connection; the one used longest ago makes room.
    public static let preparedStatementsMax = 256
    /// Bytes of all parameters of one statement together.
    public static let parameterBytesMax = 512 << 20
    /// Parameters of one statement (the protocol counts them in 16 bits).
    public static let parametersMax = 65_535
    /// Bytes queued in a pipeline or a COPY before they are pushed to the server.
    public static let sendBufferBytes = 64 << 10
    /// Blocks of about `sendBufferBytes` between a COPY and the thread that consumes it.
    public static let copyBlocksMax = 8
    /// Bytes of a parameter buffer kept between statements; a larger one is given back.
    public static let parameterBufferKeptBytes = 4 << 20
    /// Calls waiting for one session.
    public static let sessionWaitersMax = 1024
    /// Characters of a query's text shown in an error.
    public static let queryShownMax = 120
    /// Digits after the point in a `PostgresNumeric`.
    public static let numericScaleMax = 38
}
