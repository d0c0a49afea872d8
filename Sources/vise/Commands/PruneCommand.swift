import ArgumentParser
import Checkpoints
import Compression
import Engine
import Inference

extension KeptCount: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// `vise prune`: a plan that takes blocks, neurons and heads from the model.
struct PruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract:
      "Chooses blocks, MLP neurons, key and value heads and experts to take from the model.",
    discussion: """
      Blocks go by the KLD that is measured without each, again after each choice; of what is left, \
      gradients then tell which neurons and heads of each block cost least. Experts go by the mean of \
      their weight times the length of their output over the tokens that are sent to them.

      --json: text, blocks[] of block (counted as in the whole model), kld (measured without it and \
      those before, nats a token), in the order they were chosen; removed_blocks, neurons, kv_heads, \
      experts of the pruned model, experts_kld (measured without them; null where none goes), bytes_before, bytes_after of all tensors before the plan's rules, output.
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help: """
      A UTF-8 text, or JSON lines with a text or messages field; without it, calibration.txt \
      beside the model or in Samples.
      """, completion: .file())
  var text: String?

  @Option(help: "Neurons that each MLP keeps, a multiple of 32, or their share: 1024 or 75%.")
  var neurons: KeptCount?

  @Option(help: "Key and value heads that each block keeps, or their share.")
  var kvHeads: KeptCount?

  @Option(help: "Experts that each mixture keeps, or their share.")
  var experts: KeptCount?

  @Option(help: "How many blocks to leave out.")
  var blocks: Int?

  @Option(help: "Tokens that the model without each block is measured on.")
  var blockTokens = 1024

  @Option(help: "Tokens that gradients are taken on.")
  var gradientTokens = 4096

  @Option(help: "Tokens a window; without it, 512 or the model's context if that is shorter.")
  var window: Int?

  @Option(
    help:
      "A plan whose rules stay with their layers, and whose structure holds where none is asked.",
    completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Option(help: "The plan file to write.", completion: .file(extensions: ["yaml", "yml"]))
  var output: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard neurons != nil || kvHeads != nil || experts != nil || blocks != nil else {
      throw ValidationError(
        "Say what to prune: --neurons, --kv-heads, --experts, --blocks, or several.")
    }
    guard window.map({ $0 >= 3 }) ?? true else { throw ValidationError("--window is at least 3.") }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let description = try session.open(model.path)
    let sizes = description.prunableSizes
    let current =
      try plan.map(PlanFile.read)
      ?? Plan(model: description.name, fingerprint: description.fingerprint)
    var wanted = current.structure ?? ModelStructure()
    if let neurons {
      wanted.neurons = neurons.count(
        of: sizes.neurons, inMultiplesOf: ModelStructure.neuronMultiple)
    }
    if let kvHeads { wanted.keyValueHeads = kvHeads.count(of: sizes.keyValueHeads) }
    if let experts { wanted.experts = experts.count(of: sizes.experts) }
    let path = try CalibrationOptions.path(text, for: model.path)
    let chosen = try session.chooseStructure(
      StructureRequest(
        textPath: path, structure: wanted, blockCount: blocks, window: window,
        blockTokens: blockTokens, gradientTokens: gradientTokens))
    let pruned: Plan
    do {
      pruned = try current.restructured(to: chosen.structure, of: description)
    } catch {
      throw CommandFailure(status: .badPlan, message: "\(error)")
    }
    let after = pruned.structure == nil ? description : try session.restructure(by: pruned)
    if let output { try PlanFile.write(pruned, to: output) }
    let result = PruneResult(
      chosen, before: description, after: after, text: path, output: output)
    if json {
      try JSONOutput.write(result)
    } else {
      OutputStream.standard.write(result.text(of: sizes))
    }
  }
}

extension EngineSession {
  /// Chooses what to prune.
  fileprivate func chooseStructure(
    _ request: StructureRequest
  ) throws(CommandFailure) -> ChosenStructure {
    let job = CommandJob.pruning.id
    send(.chooseStructure(job, request))
    return try next { event in
      if case .structureChosen(job, let chosen) = event { chosen } else { nil }
    }
  }

  /// Makes a plan with a new structure the current one, and tells what model that leaves.
  fileprivate func restructure(by plan: Plan) throws(CommandFailure) -> ModelDescription {
    send(.setPlan(plan))
    return try next { event in
      if case .restructured(let description) = event { description } else { nil }
    }
  }
}

/// What `vise prune --json` prints.
private struct PruneResult: Encodable {
  struct Block: Encodable {
    let block: Int
    let kld: Figure
  }

  private let source: String
  private let blocks: [Block]
  private let removedBlocks: [Int]
  private let neurons: Int
  private let kvHeads: Int
  private let experts: Int
  private let expertsKld: Figure?
  private let bytesBefore: Int
  private let bytesAfter: Int
  private let output: String?

  private enum CodingKeys: String, CodingKey {
    case source = "text"
    case blocks, removedBlocks, neurons, kvHeads, experts, expertsKld, bytesBefore, bytesAfter,
      output
  }

  init(
    _ chosen: ChosenStructure, before: ModelDescription, after: ModelDescription, text: String,
    output: String?
  ) {
    source = text
    blocks = chosen.losses.map { Block(block: $0.block, kld: Figure($0.divergence)) }
    removedBlocks = chosen.structure.removedBlocks
    (neurons, kvHeads) = (after.prunableSizes.neurons, after.prunableSizes.keyValueHeads)
    experts = after.prunableSizes.experts
    expertsKld = chosen.expertDivergence.map { Figure($0) }
    (bytesBefore, bytesAfter) = (before.tensorBytes, after.tensorBytes)
    self.output = output
  }

  /// Of a mixture, the experts that stay, and what is lost without the others.
  private func expertText(of whole: PrunableSizes) -> String {
    guard whole.experts > 0 else { return "" }
    let loss = expertsKld?.value.map { ", measured KLD \($0.significant(3))" } ?? ""
    return ", \(experts) of \(whole.experts) experts\(loss)"
  }

  /// The same for people.
  func text(of whole: PrunableSizes) -> String {
    var text = ""
    if !blocks.isEmpty {
      var table = TextTable(["without block", "measured KLD"], words: [])
      for block in blocks {
        table.add([String(block.block), (block.kld.value ?? .nan).significant(3)])
      }
      text = table.text + "\n"
    }
    let kept = whole.blocks - removedBlocks.count
    let saved = output.map { "written to \($0)\n" } ?? ""
    return text + """
      \(kept) of \(whole.blocks) blocks, \(neurons) of \(whole.neurons) neurons, \
      \(kvHeads) of \(whole.keyValueHeads) key and value heads\(expertText(of: whole))
      \(bytesAfter.megabytes) MB of \(bytesBefore.megabytes) MB, before any rule
      \(saved)
      """
  }
}
