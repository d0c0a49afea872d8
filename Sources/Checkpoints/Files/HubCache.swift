import FoundationEssentials

/// Hugging Face's cache: a folder a repository, called `models--org--name`, of snapshots whose files are links to blobs.
///
/// Its layout is described at https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
struct HubCache: Sendable {
  /// The folder that holds the repositories' folders.
  let path: String

  private static let prefix = "models--"

  /// The folder of the repository `org/name`.
  func folder(of repository: String) -> String {
    "\(path)/\(Self.prefix)\(repository.replacing("/", with: "--"))"
  }

  /// The models in the cache, as `org/name`.
  var repositories: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap(Self.repository(ofFolder:)).sorted()
  }

  /// The repository of a folder called `models--org--name`; nil for other names.
  static func repository(ofFolder name: String) -> String? {
    guard name.hasPrefix(prefix), name.count > prefix.count else { return nil }
    return String(name.dropFirst(prefix.count)).replacing("--", with: "/", maxReplacements: 1)
  }

  /// The repository of a file or folder in its folder; nil if there is none on its path.
  static func repository(ofPath path: String) -> String? {
    path.split(separator: "/").reversed().lazy.compactMap { repository(ofFolder: String($0)) }.first
  }

  /// Whether `folder` is that of a repository.
  static func isRepository(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/snapshots")
  }

  /// The snapshot of a repository's folder that a model is loaded from: that of `refs/main`, else the only one.
  ///
  /// - Throws: ``CheckpointError`` when there is none, or one of several would have to be chosen.
  static func snapshot(in folder: String) throws(CheckpointError) -> String {
    let files = FileManager.default
    let repository = repository(ofPath: folder) ?? "org/name"
    let download = "run `hf download \(repository)`"
    let reference = files.contents(atPath: "\(folder)/refs/main").map {
      String(decoding: $0.prefix(200), as: UTF8.self)
    }
    let kept = ((try? files.contentsOfDirectory(atPath: "\(folder)/snapshots")) ?? []).sorted()
    if let revision = reference?.split(whereSeparator: \.isWhitespace).first.map(String.init) {
      if kept.contains(revision) { return "\(folder)/snapshots/\(revision)" }
      guard kept.isEmpty else {
        throw CheckpointError(
          file: folder, reason: "has no snapshot of revision \(revision), which refs/main names",
          hint: "\(download), or give one of \(kept.map { "\(folder)/snapshots/\($0)" }.listed())")
      }
    }
    guard let only = kept.first else {
      throw CheckpointError(
        file: folder, reason: "is a folder of Hugging Face's cache without a snapshot",
        hint: download)
    }
    guard kept.count == 1 else {
      throw CheckpointError(
        file: folder, reason: "has several snapshots, and no refs/main that names one",
        hint: "give one of \(kept.map { "\(folder)/snapshots/\($0)" }.listed())")
    }
    return "\(folder)/snapshots/\(only)"
  }
}

extension [String] {
  /// The first of these in a sentence: `a, b, c and 4 more`.
  func listed(limit: Int = 12) -> String {
    guard count > limit else { return joined(separator: ", ") }
    return prefix(limit).joined(separator: ", ") + " and \(count - limit) more"
  }
}
