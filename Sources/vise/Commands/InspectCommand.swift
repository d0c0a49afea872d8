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
      --json: name, format, architecture, parameters, bytes, layers[] of name, role, block, shape \
      (rows, columns), dtype, scheme (if quantized, for example 4 bit g64 sym), \
      bytes; notes[].
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help: "A plan file, whose structure section is applied.",
    completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

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
    if json {
      try JSONOutput.write(InspectResult(description))
    } else {
      OutputStream.standard.write(Self.text(of: description))
    }
  }

  private static func text(of model: ModelDescription) -> String {
    var table = TextTable(["layer", "shape", "type", "MB"])
    for layer in model.layers {
      let shape = "\(layer.rows)x\(layer.columns)"
      table.add([layer.name, shape, layer.storedText, layer.bytes.megabytes])
    }
    let millions = (Double(model.parameterCount) / 1e6).fixed(1)
    return """
      \(model.name)  \(model.architecture), \(model.format.rawValue)
      \(millions) M parameters, \(model.tensorBytes.megabytes) MB, context \(model.contextLength)
      \(model.blockCount) blocks of \(model.headCount) heads (\(model.keyValueHeadCount) for keys \
      and values), hidden \(model.hiddenSize), vocabulary \(model.vocabularySize)

      \(model.notes.map { "note: \($0)\n" }.joined())\(table.text)
      """
  }
}

/// What `vise inspect --json` prints.
private struct InspectResult: Encodable {
  struct Layer: Encodable {
    let name: String
    let role: String
    let block: Int?
    let shape: [Int]
    let dtype: String
    let scheme: String?
    let bytes: Int
  }

  let name: String
  let format: String
  let architecture: String
  let parameters: Int
  let bytes: Int
  let layers: [Layer]
  let notes: [String]

  init(_ model: ModelDescription) {
    name = model.name
    format = model.format.rawValue
    architecture = model.architecture
    parameters = model.parameterCount
    bytes = model.tensorBytes
    layers = model.layers.map { layer in
      Layer(
        name: layer.name, role: layer.role.rawValue, block: layer.block,
        shape: [layer.rows, layer.columns], dtype: layer.type.rawValue,
        scheme: layer.scheme?.summary, bytes: layer.bytes)
    }
    notes = model.notes
  }
}
