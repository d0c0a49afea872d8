import JSON
import Text

/// Layers that are quantized alike.
struct QuantizationGroup: Sendable {
  let targets: [ModuleTarget]
  /// The texts of targets that are names or classes.
  let names: Set<String>
  /// Nil where weights are as they are.
  let format: ModuleFormat?
  /// Whether the layers' inputs or outputs are meant to be quantized too.
  let quantizesActivations: Bool
}

/// Which layers of a checkpoint are quantized, and how: config.json's `quantization_config`, as
/// compressed-tensors 0.6 to 0.20 write it.
///
/// Keys that only say how the model was made are not read.
package struct QuantizationConfig: QuantizationFormat {
  /// In the order of the file.
  let groups: [QuantizationGroup]
  let ignored: [ModuleTarget]
  /// Whether codes of 3, 5, 6 and 7 bits straddle words; before compressed-tensors 0.18 they did not.
  let packsDensely: Bool
  /// Whether keys and values are meant to be cached quantized.
  let quantizesCache: Bool
  /// The version that wrote it, as it calls itself.
  let version: String?

  /// Reads `quantization_config`, whose method is compressed-tensors.
  init(_ section: JSONFile) throws(CheckpointError) {
    try Self.checkUnsupported(section)
    let format = try section.text("format") ?? CodeFormat.dense.rawValue
    let members = try section.section("config_groups")?.root.members ?? []
    guard !members.isEmpty else { throw section.error("config_groups is missing or empty") }
    var groups: [QuantizationGroup] = []
    for member in members {
      groups.append(try Self.group(member, in: section, format: format))
    }
    self.groups = groups
    ignored = try Self.targets(section, "ignore")
    quantizesCache = try section.section("kv_cache_scheme") != nil
    version = try section.text("version")
    packsDensely = Self.packsDensely(version: version)
  }

  private static func checkUnsupported(_ section: JSONFile) throws(CheckpointError) {
    if let sparsity = try section.section("sparsity_config") {
      let format = try sparsity.text("format") ?? CodeFormat.dense.rawValue
      if format != CodeFormat.dense.rawValue {
        let refusal = CodeFormat.refusal(of: format)
        throw section.error(refusal.reason, hint: refusal.hint)
      }
    }
    if let transforms = try section.section("transform_config"),
      let groups = try transforms.section("config_groups"), !groups.root.members.isEmpty
    {
      throw section.error(
        "its weights are rotated (transform_config), which has to be undone while the model runs",
        hint: "open a model that was quantized without SpinQuant or QuIP")
    }
  }

  private static func group(
    _ member: JSONObject.Member, in section: JSONFile, format whole: String
  ) throws(CheckpointError) -> QuantizationGroup {
    do throws(CheckpointError) {
      guard let object = member.value.object else { throw section.error("is not an object") }
      let group = JSONFile(file: section.file, root: object)
      let name = try group.text("format") ?? whole
      guard let packing = CodeFormat(rawValue: name) else {
        let refusal = CodeFormat.refusal(of: name)
        throw section.error(refusal.reason, hint: refusal.hint)
      }
      var format: ModuleFormat?
      if packing != .dense, let arguments = try group.section("weights") {
        format = ModuleFormat(packing: packing, arguments: try QuantizationArguments(arguments))
      }
      let inputs = try group.section("input_activations")
      let outputs = try group.section("output_activations")
      let targets = try targets(group, "targets")
      return QuantizationGroup(
        targets: targets, names: Set(targets.lazy.filter { !$0.isPattern }.map(\.text)),
        format: format,
        quantizesActivations: inputs != nil || outputs != nil)
    } catch {
      throw CheckpointError(
        file: error.file, reason: "config_groups, \(member.name): \(error.reason)",
        hint: error.hint)
    }
  }

  /// Most bytes of regular expressions in one list: every layer is compared with all of them.
  private static let patternLimit = 16 << 10

  private static func targets(
    _ section: JSONFile, _ key: String
  ) throws(CheckpointError) -> [ModuleTarget] {
    guard let value = section.root[key], value != .null else { return [] }
    var targets: [ModuleTarget] = []
    var patternBytes = 0
    for element in value.array ?? [.null] {
      guard let text = element.string else { throw section.error("\(key) is not a list of texts") }
      let target: ModuleTarget
      do throws(NamePatternError) { target = try ModuleTarget(text) } catch {
        throw section.error(
          "\(key) holds the regular expression \"\(text)\", which is not read: it \(error.reason)")
      }
      if target.isPattern { patternBytes += text.utf8.count }
      guard patternBytes <= Self.patternLimit else {
        throw section.error(
          "\(key) holds regular expressions of more than \(Self.patternLimit >> 10) KiB")
      }
      targets.append(target)
    }
    return targets
  }

  /// Whether a version packs densely; unknown ones are taken for recent.
  private static func packsDensely(version: String?) -> Bool {
    let numbers = version?.split(separator: ".").prefix(2).compactMap { Int($0) } ?? []
    return numbers.count < 2 || numbers[0] > 0 || numbers[1] >= 18
  }
}
