import FoundationEssentials
import Tensors
import YAML

/// Finds machines' files and reads them, each name from the first place that has it.
package struct MachineLibrary: Sendable {
  /// Where files are looked for, first come first served.
  private let directories: [String]

  package init(directories: [String]) { self.directories = directories }

  /// The machines that come with the program, and those of its user.
  package static func standard(_ places: SettingsPlaces = .current()) -> MachineLibrary {
    MachineLibrary(directories: places.directories(of: "machines", source: "Machines"))
  }

  /// All machines that can be read, by name, and what is wrong with the files of others.
  package func all() -> (machines: [Machine], errors: [FileError]) {
    var machines: [Machine] = []
    var errors: [FileError] = []
    for directory in directories {
      for file in Self.files(in: directory) {
        let id = String(file.dropLast(Self.suffix.count))
        guard !machines.contains(where: { $0.id == id }) else { continue }
        do throws(FileError) {
          machines.append(try Self.machine(at: "\(directory)/\(file)", id: id))
        } catch {
          errors.append(error)
        }
      }
    }
    return (machines.sorted { ($0.kind.rank, $0.id) < ($1.kind.rank, $1.id) }, errors)
  }

  /// The machine that is called `name`, or whose file is at that path.
  ///
  /// - Throws: ``FileError`` naming the file and line that is at fault, or the machines that there are.
  package func machine(named name: String) throws(FileError) -> Machine {
    if name.contains("/") || name.hasSuffix(Self.suffix) {
      let file = name.split(separator: "/").last.map(String.init) ?? name
      let id = file.hasSuffix(Self.suffix) ? String(file.dropLast(Self.suffix.count)) : file
      return try Self.machine(at: name, id: id)
    }
    for directory in directories where Self.files(in: directory).contains(name + Self.suffix) {
      return try Self.machine(at: "\(directory)/\(name)\(Self.suffix)", id: name)
    }
    let known = (["this"] + all().machines.map(\.id)).joined(separator: ", ")
    throw FileError(file: name, "no such machine; there are \(known)")
  }

  private static let suffix = ".yaml"

  private static func files(in directory: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }.sorted()
  }

  private static func machine(at path: String, id: String) throws(FileError) -> Machine {
    let text: String
    do throws(StorageError) {
      text = try TextFile.read(path, limit: SettingsNode.sizeLimit, as: "a machine")
    } catch {
      throw FileError(file: path, error.reason)
    }
    return try Machine(yaml: text, file: path, id: id)
  }
}

extension Machine.Kind {
  /// The order in which machines are listed.
  fileprivate var rank: Int { [.this, .gpu, .server, .laptop, .board].firstIndex(of: self) ?? 0 }
}
