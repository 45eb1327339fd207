// swift-tools-version: 6.2
import PackageDescription

/// Every target of pgbook is held to the same rules: Swift 6 mode, no warnings, explicit imports.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]

/// The pure core is optimised in debug builds too: tests replay whole order flows, and simulate thousands of clusters.
let pure = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "pgbook",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "pgbook", targets: ["pgbook"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The pure core: no clock, no randomness, no IO.
        .target(name: "OrderBook", swiftSettings: pure),
        .target(name: "Replay", dependencies: ["OrderBook"], swiftSettings: strict),
        .target(name: "Replication", dependencies: ["OrderBook"], swiftSettings: pure),
        .target(name: "Simulation", dependencies: ["OrderBook", "Replication"], swiftSettings: pure),
        .target(name: "Wire", dependencies: ["OrderBook"], swiftSettings: strict),

        // PostgreSQL.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "Postgres", dependencies: ["CLibPQ"], swiftSettings: strict),
        .executableTarget(name: "EmbedSQL", swiftSettings: strict),
        .plugin(
            name: "EmbedSQLPlugin", capability: .buildTool(), dependencies: ["EmbedSQL"], path: "Sources/EmbedSQLPlugin"
        ),
        .target(
            name: "Store", dependencies: ["OrderBook", "Postgres"], swiftSettings: strict,
            plugins: ["EmbedSQLPlugin"]),

        // Services over the store.
        .target(
            name: "Exchange",
            dependencies: ["OrderBook", "Store", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "MarketData",
            dependencies: ["OrderBook", "Store", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "History",
            dependencies: ["OrderBook", "Store", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "OrderBook", "Wire", "MarketData", "History", "Store",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "Gossip",
            dependencies: [
                "OrderBook", "Replication", "Wire", "Store",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict),

        // The command line.
        .executableTarget(
            name: "pgbook",
            dependencies: [
                "OrderBook", "Replay", "Replication", "Simulation", "Wire", "Postgres", "Store", "Exchange",
                "MarketData",
                "History", "Gateway", "Gossip",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // Tests.
        .target(name: "TestRandom", path: "Tests/TestRandom", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Postgres", "Store", "OrderBook", "TestRandom"],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(name: "OrderBookTests", dependencies: ["OrderBook", "TestRandom"], swiftSettings: strict),
        .testTarget(name: "ReplayTests", dependencies: ["OrderBook", "Replay"], swiftSettings: strict),
        .testTarget(
            name: "ReplicationTests", dependencies: ["OrderBook", "Replication", "Simulation", "TestRandom"],
            swiftSettings: strict),
        .testTarget(name: "WireTests", dependencies: ["OrderBook", "Wire", "TestRandom"], swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestRandom"], swiftSettings: strict),
        .testTarget(
            name: "StoreTests", dependencies: ["OrderBook", "Postgres", "Store", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ExchangeTests",
            dependencies: [
                "OrderBook", "Postgres", "Store", "Exchange", "TestRandom", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HistoryTests",
            dependencies: ["OrderBook", "Postgres", "Store", "Exchange", "History", "TestRandom", "TestSupport"],
            exclude: ["Golden", "load_candles.py"], swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "OrderBook", "Postgres", "Store", "Exchange", "MarketData", "Gateway", "Wire", "TestRandom",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["two_clients.py"], swiftSettings: strict),
        .testTarget(
            name: "GossipTests",
            dependencies: [
                "OrderBook", "Postgres", "Replication", "Store", "Gossip", "TestRandom", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Every parser that outside bytes reach. `scripts/fuzz` compiles LibFuzzer.swift, this package does not.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "OrderBook", "Postgres", "Replay", "Replication", "Store", "Wire", "History", "Gateway", "Gossip",
                "pgbook", "TestRandom",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            exclude: ["Corpus", "LibFuzzer.swift"], swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["OrderBook", "Postgres", "Store", "TestSupport"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// `PGBOOK_TESTS=StoreTests,ExchangeTests swift test` compiles these tests alone and what they need: the fast loop.
if let words = Context.environment["PGBOOK_TESTS"] {
    let asked = Set(words.split(separator: ",").map { String($0) })
    package.targets.removeAll { $0.type == .test && !asked.contains($0.name) }
    if asked.isDisjoint(with: ["CommandTests", "FuzzTests", "GatewayTests"]) {
        package.targets.removeAll { $0.name == "pgbook" }
        package.products.removeAll { $0.name == "pgbook" }
    }
}
