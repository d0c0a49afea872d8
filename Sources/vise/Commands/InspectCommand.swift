import ArgumentParser
import Checkpoints
import Compression
import Engine
import Tensors

/// `vise inspect`: what a checkpoint holds.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a checkpoint holds, layer by layer.",
    discussion: """
      Every checkpoint can be planned, compressed without calibration and exported (weights). One that \
      runs also answers and can be evaluated and calibrated; one that differentiates has gradients for \
      sensitivity and structured pruning. What a checkpoint lacks is said with its reason.

      --json: name, format, architecture, abilities[] (weights, runs, differentiates), obstacles of \
      runs and differentiates (why not; absent where it does), parameters, bytes, \
      cache_bytes_per_token of f32, f16 and int8 (keys and values), layers[] of name, \
      role, block, experts (of a stack), shape (rows, columns), dtype, scheme (if quantized, for \
      example 4 bit g64 sym), bytes; notes[]; damaged[] (tensors with a NaN or an infinity, each with the \
      first place: of norms and biases, and with --check of all weights).
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help: "A plan file, whose structure section is applied.",
    completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Flag(help: "Reads all weights, and fails if a tensor holds a NaN or an infinity.")
  var check = false

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    var description = try session.open(model.path)
    if let plan, let structure = try PlanFile.read(plan).structure {
      session.send(.setPlan(Plan(structure: structure)))
      description = try session.next { event in
        if case .restructured(let pruned) = event { pruned } else { nil }
      }
    }
    let damaged = try session.damage(in: model.path, readsAll: check)
    if json {
      try JSONOutput.write(InspectResult(description, damaged: damaged))
    } else {
      OutputStream.standard.write(Self.text(of: description, damaged: damaged))
    }
    if check, !damaged.isEmpty {
      throw CommandFailure(
        status: .failed, message: "\(model.path): \(damaged.count) tensors are damaged")
    }
  }

  private static func text(of model: ModelDescription, damaged: [String]) -> String {
    var table = TextTable(["layer", "shape", "type", "MB"])
    for layer in model.layers {
      let shape = "\(layer.rows)x\(layer.columns)"
      table.add([layer.name, shape, layer.storedText, layer.bytes.megabytes])
    }
    let millions = (Double(model.parameterCount) / 1e6).fixed(1)
    let context = model.blueprint.map { ", context \($0.contextLength)" } ?? ""
    let lines =
      [
        "\(model.name)  \(model.architecture), \(model.format.rawValue)",
        "\(millions) M parameters, \(model.tensorBytes.megabytes) MB\(context)",
        shape(of: model),
      ] + cache(of: model) + abilities(of: model) + damaged.map { "damaged: \($0)" }
      + model.notes.map { "note: \($0)" }
    return lines.joined(separator: "\n") + "\n\n" + table.text
  }

  private static func shape(of model: ModelDescription) -> String {
    guard let blueprint = model.blueprint, let attention = blueprint.attention else {
      return "\(model.blockCount) blocks"
    }
    let recurrent = blueprint.blocks.count { $0.delta != nil || $0.mamba != nil }
    let convolving = blueprint.blocks.count { $0.convolution != nil }
    let text =
      "\(blueprint.blocks.count) blocks of \(attention.headCount) heads "
      + "(\(attention.keyValueHeadCount) for keys and values), hidden \(blueprint.hiddenSize), "
      + "vocabulary \(blueprint.vocabularySize)"
      + (recurrent > 0 ? "\n\(recurrent) of the blocks have a recurrence in attention's place" : "")
      + (convolving > 0
        ? "\n\(convolving) of the blocks have a short convolution in attention's place" : "")
    guard case .experts(let experts)? = blueprint.blocks.last?.feedForward else { return text }
    return text
      + "\n\(experts.count) experts a block, of which a token runs through \(experts.chosenCount)"
  }

  /// What keys and values take, by what they are held as.
  private static func cache(of model: ModelDescription) -> [String] {
    guard let blueprint = model.blueprint else { return [] }
    let context = blueprint.contextLength
    let state = blueprint.cacheBytes(positions: 0, as: .f16)
    let (half, byte) = (
      blueprint.cacheBytes(positions: 1, as: .f16) - state,
      blueprint.cacheBytes(positions: 1, as: .int8) - state
    )
    let whole = blueprint.cacheBytes(positions: context, as: .f16).megabytes
    return ["KV cache: \(half) bytes a token in f16 (\(whole) MB for \(context)), \(byte) in int8"]
      + (state > 0 ? ["recurrent state: \(state) bytes a sequence"] : [])
  }

  private static func abilities(of model: ModelDescription) -> [String] {
    let abilities = model.abilities
    let names = "abilities: " + abilities.names.joined(separator: ", ")
    if let obstacle = abilities.runningObstacle { return [names, "does not run: \(obstacle)"] }
    return [names] + (abilities.gradientObstacle.map { ["has no gradients: \($0)"] } ?? [])
  }
}

/// What `vise inspect --json` prints.
private struct InspectResult: Encodable {
  struct Layer: Encodable {
    let name: String
    let role: String
    let block: Int?
    let experts: Int?
    let shape: [Int]
    let dtype: String
    let scheme: String?
    let bytes: Int
  }

  let name: String
  let format: String
  let architecture: String
  let abilities: [String]
  let obstacles: [String: String]
  let parameters: Int
  let bytes: Int
  let cacheBytesPerToken: [String: Int]
  let layers: [Layer]
  let notes: [String]
  let damaged: [String]

  init(_ model: ModelDescription, damaged: [String]) {
    self.damaged = damaged
    name = model.name
    format = model.format.rawValue
    architecture = model.architecture
    abilities = model.abilities.names
    var obstacles: [String: String] = [:]
    obstacles["runs"] = model.abilities.runningObstacle
    obstacles["differentiates"] = model.abilities.gradientObstacle
    self.obstacles = obstacles
    parameters = model.parameterCount
    bytes = model.tensorBytes
    var cacheBytes: [String: Int] = [:]
    for type in CacheType.allCases {
      cacheBytes[type.rawValue] = model.blueprint?.cacheBytes(positions: 1, as: type)
    }
    cacheBytesPerToken = cacheBytes
    layers = model.layers.map { layer in
      Layer(
        name: layer.name, role: layer.role.rawValue, block: layer.block,
        experts: layer.count > 1 ? layer.count : nil, shape: [layer.rows, layer.columns],
        dtype: layer.type.rawValue,
        scheme: layer.scheme?.summary, bytes: layer.bytes)
    }
    notes = model.notes
  }
}
