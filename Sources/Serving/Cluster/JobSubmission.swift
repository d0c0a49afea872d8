import JSON

/// A job that a cluster is asked to run.
public struct JobSubmission: Codable, Hashable, Sendable {
  /// Chosen by the sender, so that a job whose answer was lost on the way is still known.
  public var id: String
  /// A command for the cluster's shell, run in the package's folder.
  public var entrypoint: String
  /// The package's name on the cluster, `_ray_pkg_….zip`; nil for a job without files.
  public var package: String?
  /// Variables of the job's environment.
  public var variables: [String: String]
  /// Told with the job to everybody who asks.
  public var notes: [String: String]
  /// What the command itself takes of the cluster, beside tasks that it starts.
  public var gpus: Double

  public init(
    id: String, entrypoint: String, package: String? = nil, variables: [String: String] = [:],
    notes: [String: String] = [:], gpus: Double = 0
  ) {
    self.id = id
    self.entrypoint = entrypoint
    self.package = package
    self.variables = variables
    self.notes = notes
    self.gpus = gpus
  }

  /// The request's body.
  public var body: [UInt8] { JSONWriter.bytes(of: json) }

  /// The same for people, a member a line.
  public var text: String {
    String(decoding: JSONWriter.bytes(of: json, indent: 2), as: UTF8.self)
  }

  private var json: JSONValue {
    var environment: JSONObject = .empty
    if let package { environment["working_dir"] = .string("gcs://\(package)") }
    environment["env_vars"] = Self.object(variables)
    var body: JSONObject = .empty
    body["entrypoint"] = .string(entrypoint)
    body["submission_id"] = .string(id)
    body["runtime_env"] = .object(environment)
    body["metadata"] = Self.object(notes)
    if gpus > 0 { body["entrypoint_num_gpus"] = JSONValue(gpus) }
    return .object(body)
  }

  private static func object(_ words: [String: String]) -> JSONValue {
    .object(
      JSONObject(
        members: words.sorted { $0.key < $1.key }.map {
          JSONObject.Member(name: $0.key, value: .string($0.value))
        }))
  }
}

extension JobSubmission {
  /// An id that no other job has.
  public static func makeID() -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return "vise_" + String((0..<12).map { _ in letters.randomElement() ?? "x" })
  }

  /// A word as a shell reads it as one.
  public static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      byte.isASCIILetterOrDigit || "_-./:,=~@%+".utf8.contains(byte)
    }
    guard !plain || word.isEmpty else { return word }
    return "'" + word.replacing("'", with: "'\\''") + "'"
  }
}

extension UInt8 {
  var isASCIILetterOrDigit: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
  }
}
