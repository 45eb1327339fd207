import Foundation
import PackagePlugin

/// Turns the `.sql` files of `sql/schema`, `sql/functions` and `sql/queries` into one Swift file of the target it is applied to.
///
/// SwiftPM keeps its build plan while only files outside the targets change, so a list of `.sql` files made here would
/// grow stale: a new file would not be watched and a removed one would break the build. Instead the only input is a
/// stamp that the tool rewrites, so that it runs at every build (15 ms), lists the directories itself, and leaves an
/// unchanged output untouched.
@main struct EmbedSQLPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let sql = context.package.directoryURL.appending(path: "sql")
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSQL.swift")
        let stamp = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSQL.stamp")
        if !FileManager.default.fileExists(atPath: stamp.path) {
            try Data().write(to: stamp)
        }
        let directories = ["schema", "functions", "queries"].map { sql.appending(path: $0).path }
        return [
            .buildCommand(
                displayName: "Embedding SQL into \(target.name)",
                executable: try context.tool(named: "EmbedSQL").url,
                arguments: [output.path, stamp.path] + directories,
                inputFiles: [stamp],
                outputFiles: [output])
        ]
    }
}
