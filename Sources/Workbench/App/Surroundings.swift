import Foundation
import Sessions
import Tensors
import YAML

/// What the machine and its user bring along: environment, settings files, theme directories.
struct Surroundings: Sendable {
  let environment: [String: String]
  /// The directory of the executable file.
  let executableDirectory: String?

  static func current() -> Surroundings {
    Surroundings(
      environment: ProcessInfo.processInfo.environment,
      executableDirectory: SettingsPlaces.currentExecutableDirectory)
  }

  private var places: SettingsPlaces {
    SettingsPlaces(environment: environment, executableDirectory: executableDirectory)
  }

  /// `$XDG_CONFIG_HOME/vise`, or `~/.config/vise`.
  var settingsDirectory: String? { places.settingsDirectory }

  /// Where what outlives sessions is kept; nil for nowhere.
  var stateDirectory: String? { StateDirectory.path(in: environment) }

  /// Where theme files are looked for: the user's, the installed, the source tree's.
  var themeDirectories: [String] { places.directories(of: "themes", source: "Themes") }

  /// The keys as they come, changed as the user's settings file says.
  func keyTable() throws(FileError) -> KeyTable {
    guard let path = settingsDirectory.map({ "\($0)/keys.yaml" }), let yaml = Self.read(path) else {
      return .standard
    }
    return try KeySettings.apply(yaml: yaml, file: path, to: .standard)
  }

  /// The sample text, when it lies where the program was started.
  var evaluationText: String? { Self.existing("Samples/evaluation.txt") }

  private static func existing(_ path: String) -> String? {
    FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// The text of a theme or of keys; nil if there is none that can be read.
  static func read(_ path: String) -> String? {
    try? TextFile.read(path, limit: SettingsNode.sizeLimit, as: "settings")
  }

  static func list(_ directory: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
  }
}

extension ThemeLibrary {
  /// The themes that this machine has.
  init(_ surroundings: Surroundings) {
    self.init(
      directories: surroundings.themeDirectories, read: Surroundings.read, list: Surroundings.list)
  }
}
