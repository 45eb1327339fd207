extension MeshMetrics {
    /// As Prometheus reads it. Every reason is there from the beginning, so that its first refusal is seen as a rise.
    public var text: String {
        func perPeer(_ value: (Peer) -> Int) -> [(labels: String, value: Int)] {
            peers.map { ("{peer=\"\($0.name)\"}", value($0)) }
        }
        func inAndOut(_ label: String, _ values: (Peer) -> (in: Int, out: Int)) -> [(labels: String, value: Int)] {
            peers.flatMap { peer in
                [("in", values(peer).in), ("out", values(peer).out)].map {
                    ("{peer=\"\(peer.name)\",\(label)=\"\($0.0)\"}", $0.1)
                }
            }
        }
        return [
            family("peer_connected", "gauge", "Whether a peer is connected.", perPeer { $0.isConnected ? 1 : 0 }),
            family("connections_total", "counter", "Connections that were opened.", perPeer(\.connections)),
            family("frames_total", "counter", "Frames.", inAndOut("direction") { ($0.framesIn, $0.framesOut) }),
            family("bytes_total", "counter", "Bytes of frames.", inAndOut("direction") { ($0.bytesIn, $0.bytesOut) }),
            family(
                "queue_bytes", "gauge", "Bytes that wait to be handled or sent.",
                inAndOut("queue") { ($0.inboxBytes, $0.outboxBytes) }),
            family("pushes_dropped_total", "counter", "Pushes given up for a slow peer.", perPeer(\.pushesDropped)),
            family("throttled_total", "counter", "Times a peer was read more slowly.", perPeer(\.throttled)),
            family(
                "refusals_total", "counter", "Connections refused or ended.",
                MeshRefusal.allCases.map { ("{reason=\"\($0)\"}", refusals[$0] ?? 0) }),
            family("dials_failed_total", "counter", "Peers not reached.", [("", dialsFailed)]),
            family("strangers", "gauge", "Accepted connections without a certificate yet.", [("", strangers)]),
        ].joined()
    }

    private func family(
        _ name: String, _ kind: String, _ help: String, _ rows: [(labels: String, value: Int)]
    ) -> String {
        let name = "pgbook_gossip_\(name)"
        let lines = rows.map { "\(name)\($0.labels) \($0.value)\n" }.joined()
        return "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n\(lines)"
    }
}
