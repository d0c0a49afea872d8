import Allocation
import Checkpoints
import Compression
import Testing
import Tensors

@Suite struct SensitivityItemTests {
  let sample = SensitivitySample()

  @Test func solvedSchemesArePredictedAsTheAllocatorSaysAndFit() throws {
    let allocator = try sample.sensitivity.makeAllocator(
      for: sample.model, rules: AllocationRules())
    let budget = (allocator.smallestBytes + allocator.largestBytes) / 2
    let found = try allocator.solve(for: .bytes(budget))
    let schemes = allocator.schemes(of: found)
    #expect(Set(schemes.keys) == Set(sample.model.layers.map(\.name)))
    let prediction = try #require(sample.sensitivity.prediction(for: schemes))
    #expect(abs(prediction.mean - found.divergence) < 1e-12)
    #expect(prediction.low < prediction.mean && prediction.mean < prediction.high)
    // Norms are counted as the checkpoint stores them.
    let layers = sample.model.layers.reduce(0) { $0 + $1.parameters * bits(schemes[$1.name]) / 8 }
    let norms = sample.model.tensorBytes - sample.model.layers.reduce(0) { $0 + $1.bytes }
    #expect(found.bytes == layers + norms)
  }

  private func bits(_ scheme: Scheme?) -> Int { scheme?.quantization?.bits ?? 16 }

  @Test func fusedLayersAgree() throws {
    let rules = AllocationRules(fusesLayers: true)
    let allocator = try sample.sensitivity.makeAllocator(for: sample.model, rules: rules)
    // Per block: qkv, o, gate and up, down.
    #expect(allocator.items.count == 1 + 2 * 4)
    for share in 1...6 {
      let range = allocator.largestBytes - allocator.smallestBytes
      let found = try allocator.solve(for: .bytes(allocator.smallestBytes + range * share / 7))
      let schemes = allocator.schemes(of: found)
      for block in 0..<2 {
        let names = ["q", "k", "v"].map { "model.layers.\(block).self_attn.\($0)_proj" }
        #expect(Set(names.map { schemes[$0] }).count == 1)
        let gates = ["gate", "up"].map { "model.layers.\(block).mlp.\($0)_proj" }
        #expect(Set(gates.map { schemes[$0] }).count == 1)
      }
    }
  }

  @Test func pinsHoldAndFusedPinsSpread() throws {
    let pinned = "model.layers.1.self_attn.k_proj"
    let scheme = SensitivitySample.schemes[0]
    var rules = AllocationRules(pins: [pinned: scheme, "model.embed_tokens": .keep])
    var allocator = try sample.sensitivity.makeAllocator(for: sample.model, rules: rules)
    var schemes = allocator.schemes(of: try allocator.solve(for: .bytes(allocator.largestBytes)))
    #expect(schemes[pinned] == scheme)
    #expect(schemes["model.embed_tokens"] == .keep)

    rules.fusesLayers = true
    allocator = try sample.sensitivity.makeAllocator(for: sample.model, rules: rules)
    schemes = allocator.schemes(of: try allocator.solve(for: .bytes(allocator.largestBytes)))
    #expect(schemes["model.layers.1.self_attn.v_proj"] == scheme)

    rules.pins["model.layers.1.self_attn.q_proj"] = SensitivitySample.schemes[1]
    #expect(throws: SensitivityError.self) {
      try sample.sensitivity.makeAllocator(for: sample.model, rules: rules)
    }
  }

  /// A pin to a scheme that was never tried has exact bytes and about the KLD of such a width.
  @Test func untriedPinsAreGuessed() throws {
    let pin = Scheme(quantization: QuantizationScheme(bits: 3, group: .size(32)))
    let layer = try #require(sample.model.layers.last)
    let rules = AllocationRules(pins: [layer.name: pin])
    let allocator = try sample.sensitivity.makeAllocator(for: sample.model, rules: rules)
    let item = try #require(allocator.items.last)
    let shape = LayerShape(
      name: layer.name, rows: layer.rows, columns: layer.columns, type: layer.type)
    let size = LayerSize.predicted(for: shape, scheme: pin, original: layer.bytes)
    #expect(item.options.map(\.bytes) == [size.total])
    let costs = try #require(sample.sensitivity.layers.last)
    let perError = costs.fisher.divergencePerRelativeError(energy: costs.energy)
    let error = try #require(item.options.first).divergence / perError
    #expect(error > 0.02 && error < 0.1)
  }

  @Test func candidatesLimitTheChoice() throws {
    let candidates = [SensitivitySample.schemes[2], .keep]
    let allocator = try sample.sensitivity.makeAllocator(
      for: sample.model, rules: AllocationRules(candidates: candidates))
    #expect(allocator.items.allSatisfy { $0.options.map(\.scheme) == candidates })
    #expect(allocator.largestBytes == sample.model.tensorBytes)
    #expect(allocator.leastDivergence == 0)
  }

  @Test func layersWithoutFiguresStay() throws {
    let part = SensitivitySample(missing: ["model.embed_tokens"])
    let allocator = try part.sensitivity.makeAllocator(for: part.model, rules: AllocationRules())
    let schemes = allocator.schemes(of: try allocator.solve(for: .bytes(allocator.largestBytes)))
    #expect(schemes["model.embed_tokens"] == nil)
    let embedding = try #require(part.model.layers.first)
    #expect(allocator.smallestBytes > embedding.bytes)
  }

  /// Zeros are worth something only where budgets count bitmasks: then survivors and one bit a weight are counted.
  @Test func bitmasksAreCountedIfAsked() throws {
    var sensitivity = sample.sensitivity
    let half = Scheme(
      sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .sparsegpt))
    for index in sensitivity.layers.indices {
      sensitivity.layers[index].record(
        SchemeTrial(
          scheme: half, bytes: sensitivity.layers[index].originalBytes, divergence: 0.01,
          standardError: 0))
    }
    func sizes(_ countsBitmasks: Bool) throws -> (smallest: Int, largest: Int) {
      let allocator = try sensitivity.makeAllocator(
        for: sample.model,
        rules: AllocationRules(candidates: [half], countsBitmasks: countsBitmasks))
      return (allocator.smallestBytes, allocator.largestBytes)
    }
    #expect(try sizes(false) == (sample.model.tensorBytes, sample.model.tensorBytes))
    let weights = sample.model.layers.reduce(0) { $0 + $1.parameters }
    let rest = sample.model.tensorBytes - sample.model.layers.reduce(0) { $0 + $1.bytes }
    let counted = try sizes(true).smallest
    #expect(abs(counted - rest - weights * 9 / 8) <= sample.model.layers.count)
  }

  @Test(arguments: [QuantizationMethod.rtn, .gptq])
  func marksAreThoseThatWereTriedEverywhere(method: QuantizationMethod) throws {
    var sensitivity = sample.sensitivity
    #expect(sensitivity.marks(for: sample.model).map(\.schemes.count) == [15, 15, 15])
    // Rows of 64 and 96 weights hold no K type: Q2_K's mixture becomes Q4_0, and Q8_0 for the embedding.
    for index in sensitivity.layers.indices {
      for type in [BlockType.q4_0, .q8_0] {
        sensitivity.layers[index].record(
          SchemeTrial(
            scheme: Scheme(
              quantization: QuantizationScheme(block: type, range: .weighted, method: method)),
            bytes: 10 * type.bits, divergence: 0.01, standardError: 0))
      }
    }
    let marks = sensitivity.marks(for: sample.model)
    #expect(marks.filter(\.isUniform).count == 5)
    let mixes = marks.filter { !$0.isUniform }
    let suffix = method == .gptq ? " gptq" : ""
    #expect(
      mixes.map(\.name) == ["Q2_K", "Q3_K_S", "Q4_0", "Q6_K", "Q8_0"].map { $0 + suffix })
    let embedding = mixes.first?.schemes["model.embed_tokens"]
    #expect(embedding?.quantization?.block == .q8_0)
    // And each is a plan that the allocator knows.
    let allocator = try sensitivity.makeAllocator(for: sample.model, rules: AllocationRules())
    for mark in marks {
      #expect(allocator.totals(of: mark.schemes) != nil)
      #expect(allocator.choices(of: mark.schemes).allSatisfy { $0 != nil })
    }
  }
}
