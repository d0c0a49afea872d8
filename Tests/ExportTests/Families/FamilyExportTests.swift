import Checkpoints
import Compression
import Export
import Inference
import Tensors
import TestSupport
import Testing

/// Every family that runs, exported as it is and opened again, against what transformers computes with the original.
///
/// The models are made by `make families`.
struct FamilyExportTests {
  private static let pool = WorkerPool(threads: 2)

  private func kept(_ checkpoint: Checkpoint) throws -> CompressedModel {
    try CompressedModel(checkpoint) { _ in .keep }
  }

  private func expectLogits(
    of checkpoint: Checkpoint, _ family: Family, _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(checkpoint.description.abilities == .all, sourceLocation: location)
    let decoder = try Inference.Decoder(checkpoint: checkpoint, pool: Self.pool)
    for (row, tokens) in family.rows.enumerated() {
      var cache = decoder.makeCache()
      let found = try decoder.forward(tokens: tokens, cache: &cache, wants: .all)
      let error = largestError(found.values, family.logits(ofRow: row))
      #expect(error < family.tolerance, "row \(row)", sourceLocation: location)
    }
  }

  private func expectLogitsOfDirectory(_ checkpoint: Checkpoint, _ family: Family) throws {
    let model = try kept(checkpoint)
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    try TestFiles.with(try model.files(encoding)) { folder in
      try expectLogits(of: .open(folder), family)
    }
  }

  @Test(arguments: Family.names)
  func directoriesStayThemselves(name: String) throws {
    let family = try Family(name)
    try expectLogitsOfDirectory(.open(family.path), family)
  }

  /// What GGUF has no words for, so that files differ from what they were made of, as those of llama.cpp's converter do.
  private static let losses = [
    "deepseek_v2": "groups of experts are compared by their two best ones",
    "gpt_oss": "YaRN's ramp begins and ends at whole pairs",
    "gemma2": scoreSize, "gemma3": scoreSize, "gemma3-wrapped": scoreSize, "llama-yarn": ramp,
    "mistral": window,
    "phi3": window, "qwen2-window": window, "starcoder2": window,
    "smollm3": "blocks without RoPE are every fourth to llama.cpp",
  ]
  private static let scoreSize = "scores are divided by the root of the head size"
  private static let ramp = "llama.cpp has YaRN's ramp from 32 turns to 1"
  private static let window = "llama.cpp knows no window in this architecture"

  /// What config.json has no words for, though GGUF has.
  private static let refusals = [
    "deepseek_v2-lite": "has keys and values of latent rows apart",
    "deepseek_v3": "has keys and values of latent rows apart",
    "gpt_oss-mxfp4": "has gates and ups of experts apart",
    "gpt_oss-whole-pairs": "has gates and ups of experts apart",
    "gemma4-moe": "has all experts of a block in one tensor",
    "granitemoe": "has gates and ups of experts apart",
    "llama-llama3": "factors that config.json has no rule for",
    "qwen3_next": "has layers of its linear blocks apart",
  ]

  /// To GGUF, and from there back to a directory.
  @Test(arguments: Family.names.filter { losses[$0] == nil })
  func filesAndWhatIsMadeOfThemAreTheSameModel(name: String) throws {
    let family = try Family(name)
    try withFile(of: family) { gguf in
      try expectLogits(of: gguf, family)
      guard let reason = Self.refusals[name] else {
        return try expectLogitsOfDirectory(gguf, family)
      }
      let model = try kept(gguf)
      do {
        _ = try CompressedTensorsEncoding(model: model.export, target: .transformers)
        Issue.record("exported")
      } catch {
        #expect("\(error)".contains(reason), "\(error)")
      }
    }
  }

  /// Models without some of their experts, to files that hold fewer, and opened again.
  @Test(arguments: ["gemma4-moe", "mixtral", "olmoe", "qwen2_moe", "qwen3_moe"])
  func filesOfMixturesThatLostExpertsHoldTheOthers(name: String) throws {
    let whole = try Checkpoint.open(Family(name).path)
    var structure = ModelStructure(experts: 5)
    for block in whole.description.prunableSizes.mixtures {
      structure.cuts[block] = ModelStructure.Cut(experts: [(block + 1) % 6])
    }
    let pruned = try whole.pruned(by: structure)
    let model = try kept(pruned)
    let expected = try logits(of: pruned)
    try TestFiles.with(try model.file(GGUFEncoding(model: model.export)), named: "pruned.gguf") {
      let found = try Checkpoint.open($0)
      #expect(found.description.blueprint?.experts?.count == 5)
      #expect(largestError(try logits(of: found), expected) < 2e-5)
    }
    // transformers wants all experts of Gemma 4 in one tensor.
    guard name != "gemma4-moe" else { return }
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    try TestFiles.with(try model.files(encoding)) { folder in
      let found = try Checkpoint.open(folder)
      #expect(found.description.blueprint?.experts?.count == 5)
      #expect(largestError(try logits(of: found), expected) < 2e-5)
    }
  }

  private func logits(of checkpoint: Checkpoint) throws -> [Float] {
    let decoder = try Inference.Decoder(checkpoint: checkpoint, pool: Self.pool)
    var cache = decoder.makeCache()
    return try decoder.forward(tokens: Array(2..<30), cache: &cache, wants: .all).values
  }

  /// What is lost is no more than is said: the weights are all there, and the file runs.
  @Test(arguments: losses.keys.sorted())
  func filesLoseWhatGGUFCannotSay(name: String) throws {
    let family = try Family(name)
    let source = try Checkpoint.open(family.path)
    #expect(!GGUFLimits.notes(on: source.description).isEmpty)
    try withFile(of: family) { gguf in
      #expect(gguf.description.abilities == .all)
      #expect(
        gguf.description.blueprint?.blocks != source.description.blueprint?.blocks
          || gguf.description.blueprint?.ropes != source.description.blueprint?.ropes)
      let parts: Set<Role> = [.expertGateUp, .latentUp]
      for layer in source.description.layers {
        // What is one layer here and two there is checked where nothing is lost.
        guard !parts.contains(layer.role) else { continue }
        let other = gguf.description.layers.first {
          $0.role == layer.role && $0.block == layer.block
        }
        let (one, two) = (
          try source.matrix(of: layer.name), try gguf.matrix(of: #require(other).name)
        )
        #expect(one.decoded() == two.decoded(), "\(layer.name)")
      }
    }
  }

  private func withFile(of family: Family, _ body: (Checkpoint) throws -> Void) throws {
    let model = try kept(.open(family.path))
    let file = try model.file(GGUFEncoding(model: model.export))
    try TestFiles.with(file, named: "\(family.name).gguf") { try body(.open($0)) }
  }
}
