import Checkpoints
import Compression
import Export
import Foundation
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
    "granitemoehybrid": "has gates and ups apart",
    "granitemoehybrid-experts": "has gates and ups of experts apart",
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
  @Test(arguments: Family.names)
  func filesOfMixturesThatLostExpertsHoldTheOthers(name: String) throws {
    let whole = try Checkpoint.open(Family(name).path)
    let sizes = whole.description.prunableSizes
    guard sizes.experts > sizes.chosenExperts else { return }
    var structure = ModelStructure(experts: sizes.experts - 1)
    for block in sizes.mixtures {
      structure.cuts[block] = ModelStructure.Cut(experts: [(block + 1) % sizes.experts])
    }
    guard whole.description.blueprint?.experts?.groups == nil else {
      #expect(throws: InferenceError.self) { try whole.pruned(by: structure) }
      return
    }
    let pruned = try whole.pruned(by: structure)
    let model = try kept(pruned)
    let expected = try logits(of: pruned)
    if Self.losses[name] == nil {
      try TestFiles.with(try model.file(GGUFEncoding(model: model.export)), named: "pruned.gguf") {
        let found = try Checkpoint.open($0)
        #expect(found.description.blueprint?.experts?.count == sizes.experts - 1)
        #expect(largestError(try logits(of: found), expected) < 2e-5)
      }
    }
    let encoding: CompressedTensorsEncoding
    do {
      encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    } catch {
      #expect("\(error)".contains("its experts are one tensor"), "\(error)")
      return
    }
    try TestFiles.with(try model.files(encoding)) { folder in
      let found = try Checkpoint.open(folder)
      #expect(found.description.blueprint?.experts?.count == sizes.experts - 1)
      #expect(largestError(try logits(of: found), expected) < 2e-5)
    }
  }

  /// Models without one of their blocks, also where config.json tells blocks apart by their places alone.
  @Test(arguments: Family.names, [false, true])
  func directoriesOfModelsThatLostABlockHoldTheOthers(name: String, hasLists: Bool) throws {
    let family = try Family(name)
    let lists: Set = ["layer_types", "no_rope_layers", "mlp_only_layers"]
    try withCopy(of: family, leavingOut: hasLists ? [] : lists) { path in
      // What says nothing of its blocks may be another model, or none.
      guard let whole = try? Checkpoint.open(path), whole.description.abilities == .all else {
        return
      }
      let blocks = whole.description.prunableSizes.blocks
      let pruned = (0..<blocks).lazy.compactMap {
        try? whole.pruned(by: ModelStructure(removedBlocks: [$0]))
      }.first
      guard let pruned else { return }
      let model = try kept(pruned)
      let encoding: CompressedTensorsEncoding
      do {
        encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
      } catch {
        // compressed-tensors has no word for stacks, of the whole model neither.
        #expect("\(error)".contains("its experts are one tensor"), "\(error)")
        return
      }
      let expected = try logits(of: pruned)
      try TestFiles.with(try model.files(encoding)) { folder in
        let found = try Checkpoint.open(folder)
        #expect(found.description.blockCount == blocks - 1)
        #expect(largestError(try logits(of: found), expected) < 2e-5)
      }
    }
  }

  /// A copy of a family's directory whose config.json says nothing under some keys.
  private func withCopy(
    of family: Family, leavingOut keys: Set<String>, _ body: (String) throws -> Void
  ) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/model"
    try FileManager.default.copyItem(atPath: family.path, toPath: path)
    let file = URL(filePath: "\(path)/config.json")
    if !keys.isEmpty, let bytes = try? Data(contentsOf: file),
      var config = try JSONSerialization.jsonObject(with: bytes) as? [String: Any]
    {
      for key in keys { config[key] = nil }
      if var text = config["text_config"] as? [String: Any] {
        for key in keys { text[key] = nil }
        config["text_config"] = text
      }
      try JSONSerialization.data(withJSONObject: config).write(to: file)
    }
    try body(path)
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
