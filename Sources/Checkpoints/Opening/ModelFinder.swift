import FoundationEssentials
import Tensors

/// A model that lies on this machine, found by its files' names and sizes alone: nothing of it is read.
public struct FoundModel: Codable, Hashable, Sendable {
  /// Whose model it is.
  public enum Home: String, Codable, Hashable, Sendable, CaseIterable {
    /// Of a folder that somebody named.
    case folder
    case huggingFace = "hugging-face"
    case ollama
    case llamaCpp = "llama.cpp"
    case lmStudio = "lm-studio"
    /// The sample that comes with the program.
    case sample
  }

  /// What people call it.
  public let name: String
  /// What opens it: a path, or a name with `ollama:` before it.
  public let path: String
  public let home: Home
  /// Bytes of its files of weights.
  public let bytes: Int

  public init(name: String, path: String, home: Home, bytes: Int) {
    self.name = name
    self.path = path
    self.home = home
    self.bytes = bytes
  }
}

/// Looks for models where programs keep theirs, and in folders.
///
/// It lists folders only, at most a few levels deep and so many of them; still that may take long on a slow disk, so that it
/// tells of each place as soon as it has been there.
public struct ModelFinder: Sendable {
  private let homes: ModelHomes
  /// Where the sample may be, the first place that has it counts.
  private let samples: [String]

  /// Levels below a folder that are looked into, and folders in all.
  private static let (depth, folderLimit) = (3, 4096)

  /// - Parameters:
  ///   - environment: The variables by which programs are told of other folders.
  ///   - samples: Paths at which the sample may be.
  public init(
    environment: [String: String] = ProcessInfo.processInfo.environment, samples: [String] = []
  ) {
    homes = ModelHomes(environment: environment)
    self.samples = samples
  }

  /// Every model of every program, place by place.
  ///
  /// - Parameter report: Told what each place has, by name.
  public func find(_ report: ([FoundModel]) -> Void) {
    report(inHub())
    report(inOllama())
    report(homes.llamaCpp.flatMap { Self.models(in: $0, home: .llamaCpp) })
    report(homes.lmStudio.flatMap { Self.models(in: $0, home: .lmStudio) })
    if let sample = samples.lazy.compactMap({ Self.models(in: $0, home: .sample).first }).first {
      report([sample])
    }
  }

  /// The models below a folder, by path: directories of safetensors, GGUF files, folders of Hugging Face's cache.
  public static func models(in folder: String, home: FoundModel.Home = .folder) -> [FoundModel] {
    var search = FolderSearch(root: folder, home: home, foldersLeft: folderLimit)
    search.look(into: folder, depth: depth)
    return search.found.sorted { ($0.name, $0.path) < ($1.name, $1.path) }
  }

  private func inHub() -> [FoundModel] {
    homes.hub.repositories.flatMap { repository -> [FoundModel] in
      guard let snapshot = try? HubCache.snapshot(in: homes.hub.folder(of: repository)) else {
        return []
      }
      var search = FolderSearch(root: snapshot, home: .huggingFace, foldersLeft: 64)
      search.look(into: snapshot, depth: 1)
      return search.found.map { model in
        // A snapshot is called by a hash; what is one model there is known by its repository.
        let isWhole = model.path == snapshot
        return FoundModel(
          name: isWhole ? repository : "\(repository): \(model.name)", path: model.path,
          home: .huggingFace, bytes: model.bytes)
      }
    }
  }

  private func inOllama() -> [FoundModel] {
    homes.ollama.flatMap { store in
      store.names.compactMap { name in
        guard let model = try? store.model(name), let stamp = try? FileStamp(of: model.path) else {
          return nil
        }
        return FoundModel(
          name: name, path: OllamaStore.prefix + name, home: .ollama, bytes: stamp.byteCount)
      }
    }
  }
}

/// One walk through a folder and those in it.
private struct FolderSearch {
  let root: String
  let home: FoundModel.Home
  var foldersLeft: Int
  var found: [FoundModel] = []

  mutating func look(into path: String, depth: Int) {
    guard foldersLeft > 0, let directory = HuggingFaceDirectory(path: path) else { return }
    foldersLeft -= 1
    if HubCache.isRepository(path) {
      guard let snapshot = try? HubCache.snapshot(in: path),
        let repository = HubCache.repository(ofPath: path)
      else { return }
      add(HuggingFaceDirectory(path: snapshot), name: repository, path: path)
      return
    }
    if directory.hasWeights {
      add(directory, name: name(of: path), path: path)
      return
    }
    for file in ModelLocation.ggufFiles(in: directory) {
      let stem = PartName(file, suffix: ".gguf")?.stem ?? String(file.dropLast(".gguf".count))
      let parts = directory.files.filter { other in
        other.name == file || PartName(other.name, suffix: ".gguf")?.stem == stem
      }
      guard !parts.isEmpty else { continue }
      found.append(
        FoundModel(
          name: name(of: "\(path)/\(stem).gguf"), path: directory.filePath(file), home: home,
          bytes: parts.reduce(0) { $0 + $1.byteCount }))
    }
    guard depth > 0 else { return }
    for inner in directory.names where !inner.hasPrefix(".") {
      look(into: directory.filePath(inner), depth: depth - 1)
    }
  }

  private mutating func add(_ directory: HuggingFaceDirectory?, name: String, path: String) {
    let weights = directory?.files.filter { $0.name.hasSuffix(".safetensors") } ?? []
    guard !weights.isEmpty else { return }
    found.append(
      FoundModel(
        name: name, path: path, home: home, bytes: weights.reduce(0) { $0 + $1.byteCount }))
  }

  /// The path below the root, or the last part of the root's own.
  private func name(of path: String) -> String {
    guard path != root, path.hasPrefix(root) else { return PathName.last(path) }
    return String(path.dropFirst(root.count).drop { $0 == "/" })
  }
}
