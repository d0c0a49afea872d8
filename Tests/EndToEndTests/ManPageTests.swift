import Foundation
import Testing

/// The man page tells the program as it is.
struct ManPageTests {
  private static let folder = Pane.root.appending(path: "docs/man")
  private static let page = folder.appending(path: "vise.1")

  private struct Help: Decodable {
    struct Command: Decodable {
      struct Argument: Decodable {
        struct Name: Decodable { let kind, name: String }

        let names: [Name]?
        let shouldDisplay: Bool
      }

      let commandName: String
      let subcommands: [Command]?
      let arguments: [Argument]?
    }

    let command: Command
  }

  @Test func itIsWhatMakeManWrites() throws {
    let script = Self.folder.appending(path: "make_man.py").path
    let made = try Command.run(["python3", script, Pane.binary])
    #expect(try made == String(contentsOf: Self.page, encoding: .utf8), "make man writes it anew")
  }

  @Test func readersOfManPagesTakeIt() throws {
    // What it warns of is printed.
    #expect(try Command.run(["groff", "-mandoc", "-Tutf8", "-ww", "-z", Self.page.path]) == "")
  }

  @Test func everyCommandAndOptionIsInIt() throws {
    let dump = try Command.run([Pane.binary, "--experimental-dump-help"])
    let help = try JSONDecoder().decode(Help.self, from: Data(dump.utf8))
    let shown = try Command.run(
      ["groff", "-mandoc", "-Tascii", "-P-cbou", Self.page.path])
    let commands = try #require(help.command.subcommands)
    #expect(commands.count > 20)
    for command in commands {
      let name = "vise \(command.commandName)"
      let heading = try #require(shown.firstRange(of: "   \(name)\n"), "\(name) has no section")
      let section = shown[heading.upperBound...].split(separator: "\n   vise ", maxSplits: 1)[0]
      for option in command.arguments ?? [] where option.shouldDisplay {
        let names = option.names ?? []
        for name in names where name.kind == "long" && !["help", "version"].contains(name.name) {
          #expect(section.contains("--\(name.name)"), "\(command.commandName) --\(name.name)")
        }
      }
    }
  }
}
