@testable import Checkpoints
import Testing
import JSON

/// An exported config.json as readers take it.
struct WrittenConfig {
  struct Group {
    let name: String
    let targets: [String]
    let format: String
    let bits: Int
    let symmetric: Bool
    /// Nil for a channel.
    let groupSize: Int?
    let roundsInputs: Bool
  }

  let root: JSONObject
  let groups: [Group]
  let ignored: [String]

  init(_ files: [(name: String, bytes: [UInt8])]) throws {
    let file = try #require(files.first { $0.name == "config.json" })
    root = try #require(try JSONReader.read(file.bytes).object)
    let quantization = root["quantization_config"]?.object
    ignored = quantization?["ignore"]?.array?.compactMap(\.string) ?? []
    groups = try (quantization?["config_groups"]?.object?.members ?? []).map { member in
      let group = try #require(member.value.object)
      let weights = try #require(group["weights"]?.object)
      let size = weights["group_size"]?.integer
      #expect(weights["strategy"]?.string == (size == nil ? "channel" : "group"))
      #expect(weights["type"]?.string == "int")
      return Group(
        name: member.name, targets: group["targets"]?.array?.compactMap(\.string) ?? [],
        format: try #require(group["format"]?.string),
        bits: try #require(weights["num_bits"]?.integer),
        symmetric: weights["symmetric"] == .bool(true), groupSize: size,
        roundsInputs: group["input_activations"]?.object != nil)
    }
  }

  /// The one group that a module is in, found as compressed-tensors and vLLM do; nil for none.
  ///
  /// Fails where a module is in two, or a target is anything but a name.
  func group(of module: String) -> Group? {
    let found = groups.filter { $0.targets.contains(module) }
    #expect(found.count <= 1, "\(module) is in \(found.map(\.name))")
    return found.first
  }
}
