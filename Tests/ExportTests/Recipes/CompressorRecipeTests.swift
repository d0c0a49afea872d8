import Compression
import Export
import Tensors
import TestSupport
import Testing
import Yams

/// Recipes for llm-compressor, read back by another parser: every layer once, with what the plan gives it.
struct CompressorRecipeTests {
  private typealias Arguments = [String: Any]

  /// The modifiers in the order of the file.
  private static func modifiers(
    _ layers: [(String, Scheme)], mappings: [CompressorRecipe.Mapping] = [],
    target: ExportTarget = .vllm
  ) throws -> [(type: String, arguments: Arguments)] {
    let recipe = CompressorRecipe(
      layers: layers.map { (name: $0, scheme: $1) }, mappings: mappings, target: target)
    let root = try #require(try Yams.compose(yaml: recipe.yaml)?.mapping)
    let stage = try #require(root["vise_stage"]?.mapping)
    return try stage.map { name, modifier in
      #expect(name.string?.hasSuffix("_modifiers") == true)
      let only = try #require(modifier.mapping?.first)
      let arguments = try #require(only.value.any as? Arguments)
      return (try #require(only.key.string), arguments)
    }
  }

  /// The settings of every layer that a quantizer has, by its name; each has one only.
  private static func weights(
    in modifiers: [(type: String, arguments: Arguments)]
  ) throws -> [String: (type: String, settings: Arguments)] {
    var found: [String: (type: String, settings: Arguments)] = [:]
    for (type, arguments) in modifiers {
      let groups = arguments["config_groups"] as? [String: Arguments] ?? [:]
      for group in groups.values {
        let settings = try #require(group["weights"] as? Arguments)
        for name in try #require(group["targets"] as? [String]) {
          #expect(found[name] == nil, "\(name) is in two groups")
          found[name] = (type, settings)
        }
      }
      if let preset = arguments["scheme"] as? String {
        for name in try #require(arguments["targets"] as? [String]) {
          #expect(found[name] == nil, "\(name) is in two groups")
          found[name] = (type, ["preset": preset])
        }
      }
    }
    return found
  }

  private static func quantized(_ quantization: QuantizationScheme) -> Scheme {
    Scheme(quantization: quantization)
  }

  @Test func everyLayerIsInOneGroupWithItsSettings() throws {
    var random = SeededRandom(seed: 11)
    let layers = (0..<60).map { number -> (String, Scheme) in
      let method: QuantizationMethod = number % 3 == 0 ? .gptq : .rtn
      let scheme = QuantizationScheme(
        bits: Int.random(in: 2...8, using: &random),
        group: [.channel, .size(32), .size(64)][number % 3],
        isSymmetric: Bool.random(using: &random),
        range: number % 2 == 0 ? .mse : .minMax, method: method)
      return (
        "model.layers.\(number).mlp.up_proj", number % 7 == 0 ? .keep : Self.quantized(scheme)
      )
    }
    let found = try Self.weights(in: Self.modifiers(layers))
    for (name, scheme) in layers {
      guard let quantization = scheme.quantization else {
        #expect(found[name] == nil)
        continue
      }
      let (type, settings) = try #require(found[name])
      #expect(type == (quantization.method == .gptq ? "GPTQModifier" : "QuantizationModifier"))
      #expect(settings["num_bits"] as? Int == quantization.bits)
      #expect(settings["symmetric"] as? Bool == quantization.isSymmetric)
      #expect(settings["type"] as? String == "int")
      let group = (settings["group_size"] as? Int).map(GroupSize.size) ?? .channel
      #expect(group == quantization.group)
      #expect(settings["strategy"] as? String == (group == .channel ? "channel" : "group"))
      #expect(
        settings["observer"] as? String
          == (quantization.range == .mse ? "memoryless_mse" : "memoryless_minmax"))
    }
    #expect(found.count == layers.count { $0.1.quantization != nil })
  }

  @Test func floatsHaveTheirPresetsOrGroups() throws {
    let found = try Self.weights(
      in: Self.modifiers([
        ("a", Self.quantized(.init(float: .fp8))), ("b", Self.quantized(.init(float: .fp8Block))),
        ("c", Self.quantized(.init(float: .nvfp4, method: .gptq))),
        ("d", Self.quantized(.init(float: .mxfp4))),
      ]))
    #expect(found["a"]?.settings["type"] as? String == "float")
    #expect(found["a"]?.settings["strategy"] as? String == "channel")
    #expect(found["b"]?.settings["block_structure"] as? [Int] == [128, 128])
    #expect(found["c"]?.settings["preset"] as? String == "NVFP4A16")
    #expect(found["c"]?.type == "GPTQModifier")
    #expect(found["d"]?.settings["preset"] as? String == "MXFP4A16")
  }

  /// llm-compressor counts in N:M what goes, and plans what stays.
  @Test func zerosComeFirstAndAreCountedAsTheyCountThem() throws {
    func pruned(_ pattern: SparsityPattern, _ method: PruningMethod) -> Scheme {
      Scheme(sparsity: SparsityScheme(pattern: pattern, method: method))
    }
    let found = try Self.modifiers([
      ("a", pruned(.structured(kept: 1, of: 4), .sparsegpt)),
      ("b", pruned(.unstructured(ratio: 0.5), .wanda)),
      ("c", pruned(.unstructured(ratio: 0.25), .wanda)), ("d", Self.quantized(.init(bits: 4))),
    ])
    #expect(
      found.map(\.type) == ["SparseGPTModifier", "WandaPruningModifier", "QuantizationModifier"])
    #expect(found[0].arguments["mask_structure"] as? String == "3:4")
    #expect(found[0].arguments["sparsity"] as? Double == 0.75)
    #expect(found[1].arguments["sparsity"] as? [Double] == [0.5, 0.25])
    #expect(found[1].arguments["targets"] as? [String] == ["b", "c"])
  }

  @Test func scalesComeBeforeTheCodesTheyAreFor() throws {
    let found = try Self.modifiers(
      [
        ("q", Self.quantized(.init(bits: 4, method: .awq))),
        ("g", Self.quantized(.init(bits: 4, method: .gptq))),
      ], mappings: [.init(source: "norm", readers: ["q"])])
    #expect(found.map(\.type) == ["AWQModifier", "QuantizationModifier", "GPTQModifier"])
    let mappings = try #require(found[0].arguments["mappings"] as? [[String: Any]])
    #expect(mappings.map { $0["smooth_layer"] as? String } == ["norm"])
    #expect(mappings[0]["balance_layers"] as? [String] == ["q"])
  }

  @Test func vLLMOnACPURoundsInputsOfEightBits() throws {
    let layers = [
      ("a", Self.quantized(.init(bits: 8, group: .channel))), ("b", Self.quantized(.init(bits: 4))),
    ]
    let groups = try Self.modifiers(layers, target: .vllmCPU).flatMap {
      ($0.arguments["config_groups"] as? [String: Arguments] ?? [:]).values
    }
    #expect(groups.count == 2)
    for group in groups {
      #expect((group["input_activations"] != nil) == (group["targets"] as? [String] == ["a"]))
    }
  }

  @Test func whatItCannotDoIsRefusedWithTheNearest() {
    let shape = LayerShape(
      name: "model.layers.0.mlp.up_proj", rows: 64, columns: 128, type: .float16)
    func nearest(_ scheme: Scheme, _ target: ExportTarget = .transformers) -> Scheme?? {
      CompressorLimits.refusals(of: [scheme], for: [shape], target: target).first.map(\.nearest)
    }
    var scheme = Self.quantized(.init(bits: 4, method: .hqq))
    #expect(nearest(scheme) == Self.quantized(.init(bits: 4)))
    scheme = Self.quantized(.init(bits: 4, method: .gptq))
    #expect(nearest(scheme) == nil)
    scheme.sparsity = SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .sparsegpt)
    #expect(nearest(scheme)??.quantization?.method == .rtn)
    #expect(nearest(scheme)??.sparsity == scheme.sparsity)
    scheme = Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5)))
    #expect(nearest(scheme)??.sparsity?.method == .wanda)
    // What the target cannot hold comes first; llama-quantize has its own methods.
    #expect(nearest(Self.quantized(.init(block: .q4_0)))??.quantization?.block == nil)
    #expect(nearest(Self.quantized(.init(block: .q4_0)), .llamaCpp) == nil)
  }

  @Test func plansThatKeepEverythingAreNoRecipe() throws {
    let recipe = CompressorRecipe(layers: [(name: "a", scheme: .keep)], target: .vllm)
    #expect(try Yams.compose(yaml: recipe.yaml) == nil)
    #expect(!recipe.needsText)
  }
}
