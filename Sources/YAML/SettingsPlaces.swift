import FoundationEssentials

/// Where files are that come with the program, and those of its user that go before them.
package struct SettingsPlaces: Sendable {
  private let environment: [String: String]
  /// The directory of the executable file.
  private let executableDirectory: String?

  package init(environment: [String: String], executableDirectory: String?) {
    self.environment = environment
    self.executableDirectory = executableDirectory
  }

  /// The places of the process that runs.
  package static func current() -> SettingsPlaces {
    SettingsPlaces(
      environment: ProcessInfo.processInfo.environment,
      executableDirectory: currentExecutableDirectory)
  }

  /// The directory of the program that runs.
  package static var currentExecutableDirectory: String? {
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return link.map(Self.parent)
  }

  /// `$XDG_CONFIG_HOME/vise`, or `~/.config/vise`.
  package var settingsDirectory: String? {
    if let path = environment["XDG_CONFIG_HOME"], path.hasPrefix("/") { return "\(path)/vise" }
    return environment["HOME"].map { "\($0)/.config/vise" }
  }

  /// Where files of a kind are looked for: the user's, the installed, the source tree's.
  ///
  /// - Parameters:
  ///   - name: the folder's name among settings and beside the installed program, such as `themes`.
  ///   - source: its name in the source tree.
  /// - Returns: paths, whether there is anything or not.
  package func directories(of name: String, source: String) -> [String] {
    var directories: [String] = []
    if let settings = settingsDirectory { directories.append("\(settings)/\(name)") }
    guard var directory = executableDirectory else { return directories }
    directories.append("\(directory)/../share/vise/\(name)")
    // A build lies some levels below the source tree's root.
    for _ in 0..<5 {
      directory = Self.parent(of: directory)
      directories.append("\(directory)/\(source)")
    }
    return directories
  }

  /// Where the sample model may be: in the source tree that the program was built in, or beside where it was started.
  package var samples: [String] {
    directories(of: "samples/scripture", source: "Samples/scripture") + ["Samples/scripture"]
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }
}
