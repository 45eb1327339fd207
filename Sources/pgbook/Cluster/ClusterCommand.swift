import ArgumentParser
import Gossip
import Replication

struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Make a cluster of nodes: its authority, certificates and configuration.",
        discussion: """
            Each node has a database of its own; `pgbook gossip` keeps them in step.

            Example:
              pgbook cluster init --name prod prod-cluster
              pgbook cluster add-node a --host 10.0.0.1 prod-cluster
              pgbook cluster add-node b --host 10.0.0.2 prod-cluster
            """,
        subcommands: [ClusterInit.self, ClusterAddNode.self, ClusterShow.self])
}

struct ClusterInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a folder with a new cluster: an authority, and no nodes yet.",
        discussion: """
            All nodes of a cluster have the same window, early close and confirmations.

            Example:
              pgbook cluster init --name prod --window 3s prod-cluster
            """)

    @Option(help: "What the cluster's id begins with: 1 to 55 of a-z, 0-9 and -.")
    var name: String
    @Option(help: "How long a command waits where the nodes cannot agree sooner.")
    var window = TimeSpan(.seconds(3))
    @Option(help: "How many other nodes must have stored a command before it gets its place.")
    var confirmations = 0
    @Flag(help: "Always wait for the whole window.")
    var noEarlyClose = false
    @OptionGroup var output: OutputOptions
    @Argument(help: "The folder to make.")
    var folder: String

    func validate() throws {
        guard (1_000...3_600_000_000).contains(window.microseconds), window.microseconds % 1_000 == 0 else {
            throw ValidationError("--window \(window) is not a number of milliseconds from 1ms to 1h")
        }
        guard (0..<ClusterConfiguration.membersMax).contains(confirmations) else {
            throw ValidationError(
                "--confirmations \(confirmations) is outside 0 to \(ClusterConfiguration.membersMax - 1)")
        }
        guard name.utf8.count <= 55, ClusterConfiguration.isClusterID(name) else {
            throw ValidationError("--name '\(name)' is not 1 to 55 of a-z, 0-9 and -")
        }
    }

    func run() throws {
        let made = try ClusterFolder.make(at: folder, name: name) { configuration in
            configuration.windowMilliseconds = window.microseconds / 1_000
            configuration.confirmations = confirmations
            configuration.closesEarly = !noEarlyClose
        }
        if output.json { return print(made.configuration.json) }
        print("made  cluster \(made.configuration.cluster) in \(folder); whoever has ca.key there can make members")
        print("next  pgbook cluster add-node a --host ADDRESS \(folder)")
    }
}

struct ClusterAddNode: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add-node", abstract: "Make a node's key and certificate, or make them anew.",
        discussion: """
            Makes DIR/NAME with all that the node needs, and tells the configurations of the others of it.

            Example:
              pgbook cluster add-node a --host 10.0.0.1:7420 prod-cluster
            """)

    @Argument(help: "The node's name: 1 to 32 of a-z, 0-9 and -, not - first.")
    var name: String
    @Option(help: ArgumentHelp("Where the other nodes find it (port 7420 by default).", valueName: "host[:port]"))
    var host: String?
    @OptionGroup var output: OutputOptions
    @Argument(help: "The cluster's folder.")
    var folder: String

    func validate() throws {
        guard NodeName(name) != nil else {
            throw ValidationError("'\(name)' is no node's name; it has 1 to 32 of a-z, 0-9 and -, not - first")
        }
        if let host, Address(host, portDefault: ClusterConfiguration.portDefault) == nil {
            throw ValidationError("--host '\(host)' is neither HOST nor HOST:PORT")
        }
    }

    func run() throws {
        guard let node = NodeName(name) else { return }
        var cluster = try ClusterFolder(path: folder)
        let address = host.flatMap { Address($0, portDefault: ClusterConfiguration.portDefault) }
        let made = try cluster.add(node, at: address)
        if output.json { return print(try cluster.row(of: node).json) }
        let row = try cluster.row(of: node)
        print("added  \(row.name) at \(row.address); its certificate ends \(row.validUntil ?? "")")
        print("next   copy \(made) to that machine, and there: pgbook gossip --config \(name)/cluster.json")
        let others = cluster.configuration.members.map(\.name).filter { $0 != name }
        guard !others.isEmpty else { return }
        print("       copy cluster.json of \(others.joined(separator: ", ")) to theirs too, and start them again")
    }
}

struct ClusterShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a cluster's nodes and how long their certificates are good.",
        discussion: """
            The exit code is 1 where a certificate is missing, damaged or over.

            Example:
              pgbook cluster show prod-cluster
            """)

    @OptionGroup var output: OutputOptions
    @Argument(help: "The cluster's folder.")
    var folder: String

    func run() throws {
        let cluster = try ClusterFolder(path: folder)
        let rows = cluster.configuration.members.compactMap { NodeName($0.name) }.map { cluster.row(orFaultOf: $0) }
        if output.json {
            print(JSON.object(cluster.configuration.fields + [("nodes", .array(rows.map(\.json)))]))
        } else {
            show(cluster.configuration, rows)
        }
        if rows.contains(where: \.isBad) { throw Failure(.refused) }
    }

    private func show(_ configuration: ClusterConfiguration, _ rows: [ClusterNodeRow]) {
        print("cluster \(configuration.cluster), window \(configuration.windowMilliseconds) ms", terminator: "")
        print(configuration.closesEarly ? ", closes early" : "", terminator: "")
        print(configuration.confirmations > 0 ? ", confirmations \(configuration.confirmations)" : "")
        guard !rows.isEmpty else {
            return print("no nodes yet; add one: pgbook cluster add-node a --host ADDRESS \(folder)")
        }
        var table = Table(("node", .left), ("address", .left), ("certificate until", .left), ("remark", .left))
        for row in rows {
            table.add(row.name, "\(row.address)", row.validUntil, row.remark, style: row.remark == nil ? nil : .warning)
        }
        printLines(table.lines(on: .standard))
    }
}
