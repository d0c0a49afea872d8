import Checkpoints
import FoundationEssentials
import Links
import Tensors

/// Results of jobs that ended while no workbench was there, kept for the next one after their engine has ended.
struct LeftResults: Sendable {
  private let directory: String

  /// - Parameter stateDirectory: where what outlives sessions is kept.
  init(_ stateDirectory: String) { directory = stateDirectory }

  private struct Contents: Codable {
    var protocolVersion = EngineProtocol.version
    var version = EngineSettings.version
    var jobs: [JobRecord]
  }

  private var folder: String { "\(directory)/results" }
  var sensitivityFolder: String { "\(directory)/sensitivity" }

  func path(of fingerprint: String) -> String { "\(folder)/\(fingerprint).json" }

  func sensitivityPath(of fingerprint: String) -> String {
    try? Self.make(sensitivityFolder)
    return "\(sensitivityFolder)/\(fingerprint).safetensors"
  }

  /// Fingerprints of the models that there is sensitivity of.
  var sensitivities: [String] {
    let suffix = ".safetensors"
    let names = (try? FileSystem.names(in: sensitivityFolder)) ?? []
    return names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
  }

  /// Keeps results beside those that are kept already; where that fails nothing can be told to anybody.
  func keep(_ jobs: [JobRecord], of record: EngineRecord) {
    let fingerprint = record.model.fingerprint
    let all = (results(of: fingerprint) ?? []) + jobs
    do {
      try Self.make(folder)
      let data = try WireMessage.json(Contents(jobs: all))
      try OutputFile.write(data, to: path(of: fingerprint))
    } catch {
      return
    }
  }

  /// Results that are kept of a model, of this version's engines; nil for none.
  func results(of fingerprint: String) -> [JobRecord]? {
    guard
      let text = try? TextFile.read(
        path(of: fingerprint), limit: EngineProtocol.eventLimit, as: "results"),
      let contents = try? WireMessage.decode(Contents.self, from: Array(text.utf8)),
      contents.protocolVersion == EngineProtocol.version,
      contents.version == EngineSettings.version
    else { return nil }
    return contents.jobs
  }

  func forget(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  private static func make(_ folder: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  /// The fingerprint of the model that is at a path now.
  static func fingerprint(ofModelAt path: String) throws -> String {
    try Checkpoint.open(path).description.fingerprint
  }
}
