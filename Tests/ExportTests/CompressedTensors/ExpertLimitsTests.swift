import Compression
import Tensors
import TestSupport
import Testing

@testable import Checkpoints
@testable import Export

/// What transformers 5 can decode of experts, which it makes one tensor of: all by the scheme of one group.
struct ExpertLimitsTests {
  private let checkpoint: Checkpoint
  private let outline: ExportOutline
  private let folder: TensorFolder

  init() throws {
    var tensors = ["model.layers.0.self_attn.q_proj.weight": [128, 128]]
    for expert in 0..<2 {
      for part in ["gate_proj", "up_proj", "down_proj"] {
        tensors["model.layers.0.mlp.experts.\(expert).\(part).weight"] = [128, 128]
      }
    }
    folder = try TensorFolder(config: #"{"model_type": "new"}"#, tensors: tensors)
    checkpoint = try Checkpoint.open(folder.path)
    outline = try ExportOutline(of: checkpoint, for: .transformers)
  }

  private func integers(_ bits: Int, isSymmetric: Bool = true) -> Scheme {
    Scheme(
      quantization: QuantizationScheme(bits: bits, group: .size(32), isSymmetric: isSymmetric))
  }

  private func schemes(
    _ attention: Scheme, _ experts: Scheme, down: Scheme? = nil
  ) -> [Scheme] {
    outline.shapes.map { shape in
      shape.name.contains("self_attn")
        ? attention : shape.name.hasSuffix("down_proj") ? down ?? experts : experts
    }
  }

  private func names(_ refusals: [ExportRefusal]) -> [String] {
    refusals.map { String($0.layer.split(separator: ".").last ?? "") }.sorted()
  }

  /// The group of all experts is found by a pattern that mentions them.
  @Test func expertsHaveAGroupOfTheirOwn() throws {
    let model = try CompressedModel(checkpoint) { shape in
      shape.name.contains("experts") ? integers(4) : integers(8)
    }
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    let config = try WrittenConfig(model.files(encoding))
    let group = try #require(config.groups.first { $0.targets.count > 1 })
    let patterns = group.targets.filter { $0.hasPrefix("re:") }
    #expect(patterns.count == 3 && patterns.allSatisfy { $0.contains("experts") })
    for part in ["gate_proj", "up_proj", "down_proj"] {
      for expert in 0..<2 {
        let name = "model.layers.0.mlp.experts.\(expert).\(part)"
        let matching = try group.targets.filter { try ModuleTarget($0).matches(name: name) }
        #expect(matching.count == 1)
      }
    }
    #expect(encoding.notes.count == 1)
    #expect(encoding.notes.first?.contains("rounds experts to 16 bits") == true)
    let other = try CompressedTensorsEncoding(model: model.export, target: .vllm)
    #expect(other.notes.isEmpty)
    let plain = try WrittenConfig(model.files(other))
    #expect(plain.groups.allSatisfy { $0.targets.allSatisfy { !$0.hasPrefix("re:") } })
  }

  @Test func keptExpertsBesideQuantizedLayersAreRefused() throws {
    let mixed = schemes(integers(4), .keep)
    let refusals = outline.refusals(of: mixed)
    #expect(names(refusals) == ["down_proj", "gate_proj", "up_proj"])
    #expect(refusals.allSatisfy { $0.reason.contains("none is kept") })
    let nearest = outline.nearest(to: mixed)
    #expect(outline.refusals(of: nearest).isEmpty)
    #expect(nearest.allSatisfy { $0.quantization?.bits == ($0 == integers(4) ? 4 : 8) })
    #expect(outline.refusals(of: schemes(.keep, .keep)).isEmpty)
    #expect(outline.refusals(of: schemes(.keep, integers(4))).isEmpty)
  }

  @Test func expertsOfSeveralSchemesAreRefused() {
    let mixed = schemes(.keep, integers(4), down: integers(8))
    let refusals = outline.refusals(of: mixed)
    #expect(names(refusals) == ["gate_proj", "up_proj"])
    #expect(refusals.allSatisfy { $0.nearest == integers(8) })
    #expect(outline.nearest(to: mixed) == schemes(.keep, integers(8)))
  }

  @Test func whatExpertsCannotBeInIsRefused() {
    let zeros = schemes(.keep, integers(4, isSymmetric: false))
    #expect(outline.refusals(of: zeros).allSatisfy { $0.reason.contains("without zero points") })
    #expect(outline.nearest(to: zeros) == schemes(.keep, integers(4)))
    for format in [FloatFormat.nvfp4, .fp8Block] {
      let floats = schemes(.keep, Scheme(quantization: QuantizationScheme(float: format)))
      #expect(outline.refusals(of: floats).count == 3, "\(format)")
      #expect(outline.refusals(of: outline.nearest(to: floats)).isEmpty, "\(format)")
    }
    for format in [FloatFormat.fp8, .mxfp4] {
      let floats = schemes(.keep, Scheme(quantization: QuantizationScheme(float: format)))
      #expect(outline.refusals(of: floats).isEmpty, "\(format)")
    }
  }

  /// Experts that are one tensor stay as they are, and hinder nothing.
  @Test func wholeStacksAreKept() throws {
    let folder = try TensorFolder(
      config: #"{"model_type": "new"}"#,
      tensors: [
        "model.layers.0.self_attn.q_proj.weight": [128, 128],
        "model.layers.0.mlp.experts.gate_up_proj": [4, 64, 32],
      ])
    let outline = try ExportOutline(of: Checkpoint.open(folder.path), for: .transformers)
    let schemes = outline.shapes.map { $0.count > 1 ? Scheme.keep : integers(4) }
    #expect(outline.refusals(of: schemes).isEmpty)
  }

  /// vLLM needs whole blocks of each expert.
  @Test func blocksDoNotReachOverExperts() throws {
    let folder = try TensorFolder(
      config: #"{"model_type": "new"}"#,
      tensors: Dictionary(
        uniqueKeysWithValues: (0..<2).map {
          ("model.layers.0.mlp.experts.\($0).up_proj.weight", [64, 128])
        }))
    let outline = try ExportOutline(of: Checkpoint.open(folder.path), for: .vllm)
    let blocks = outline.shapes.map { _ in
      Scheme(quantization: QuantizationScheme(float: .fp8Block))
    }
    #expect(outline.refusals(of: blocks).first?.reason.contains("64 x 128 are not") == true)
  }

  @Test(arguments: ["falcon", "mamba2", "kimi_linear", "llama4", "llama4_text"])
  func architecturesThatDoNotLoadAreNoted(name: String) throws {
    let folder = try TensorFolder(
      config: #"{"model_type": "\#(name)"}"#, tensors: ["model.layers.0.up_proj.weight": [64, 64]])
    let model = try CompressedModel(Checkpoint.open(folder.path)) { _ in integers(4) }
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    #expect(encoding.notes.first?.contains("does not rightly load quantized models") == true)
    let kept = try CompressedModel(Checkpoint.open(folder.path)) { _ in .keep }
    #expect(
      try CompressedTensorsEncoding(model: kept.export, target: .transformers).notes.isEmpty)
  }
}
