/// The arrows of the architecture page: who may depend on whom. An arrow that does not stand here is forbidden.
let allowedModules: [String: Set<String>] = [
    "OrderBook": [],
    "Replay": ["OrderBook"],
    "Replication": ["OrderBook"],
    "Simulation": ["OrderBook", "Replication"],
    "Wire": ["OrderBook"],
    "Postgres": ["CLibPQ"],
    "Store": ["OrderBook", "Postgres"],
    "Exchange": ["OrderBook", "Store"],
    "MarketData": ["OrderBook", "Store"],
    "History": ["OrderBook", "Store"],
    "Gateway": ["OrderBook", "Wire", "MarketData", "History", "Store"],
    "Gossip": ["OrderBook", "Replication", "Wire", "Store"],
    "pgbook": [
        "OrderBook", "Replay", "Replication", "Simulation", "Wire", "Postgres", "Store", "Exchange", "MarketData",
        "History", "Gateway", "Gossip",
    ],
    "EmbedSQL": [],
    "EmbedSQLPlugin": [],
]

/// What comes from outside the package and may be imported. The pure targets get nothing at all.
let allowedOutside: [String: Set<String>] = [
    "OrderBook": [],
    "Replay": [],
    "Replication": [],
    "Simulation": [],
    "Wire": [],
    "Postgres": ["Foundation", "Dispatch", "Glibc", "Darwin", "Synchronization"],
    "Store": ["Logging", "Synchronization"],
    "Exchange": ["Logging", "Synchronization", "ServiceLifecycle"],
    "MarketData": ["Logging", "Synchronization", "ServiceLifecycle"],
    "History": ["Foundation", "FoundationEssentials", "Glibc", "Logging", "Synchronization"],
    "Gateway": [
        "Foundation", "FoundationEssentials", "Glibc", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging",
        "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "NIOWebSocket", "ServiceLifecycle",
        "Synchronization",
    ],
    "Gossip": [
        "Crypto", "Glibc", "Foundation", "Logging", "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS", "ServiceLifecycle",
        "SwiftASN1",
        "Synchronization", "X509",
    ],
    "pgbook": [
        "ArgumentParser", "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Histogram", "Logging", "NIOCore",
        "NIOPosix",
        "ServiceLifecycle", "Synchronization", "UnixSignals",
    ],
    "EmbedSQL": ["Foundation", "FoundationEssentials", "Glibc"],
    "EmbedSQLPlugin": ["PackagePlugin", "Foundation"],
]
