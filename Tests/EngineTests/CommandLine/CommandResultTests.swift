import Checkpoints
import Compression
import Foundation
import Inference
import Testing
import Tensors

/// What the subcommands print, and the keys of their JSON, which scripts rely on.
@Suite struct CommandResultTests {
  private let model: TinyModel
  private let plan: String

  init() throws {
    model = try TinyModel()
    plan = try model.write(
      """
      vise: 1
      rules:
        - layers: "*.mlp.*"
          bits: 3
          group: 32
      """, to: "plan.yaml")
  }

  private func json(_ arguments: String...) throws -> [String: Any] {
    let run = try ViseProcess([arguments[0], model.path] + arguments.dropFirst() + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.isEmpty)
    return try run.object()
  }

  /// A type is a name alone; what stands behind it is not passed over.
  @Test(arguments: ["Q4_K/gptq", "Q4_K+50%", "Q4_K,mse", "FP8/rtn"])
  func typesAreNamesAlone(type: String) throws {
    let run = try ViseProcess(["preview", model.path, "--type", type])
    #expect(run.status == 64 && run.errors.contains(type), "\(run.errors)")
  }

  @Test func inspectDescribesTheCheckpoint() throws {
    let description = try Checkpoint.open(model.path).description
    let result = try json("inspect")
    #expect(
      Set(result.keys)
        == [
          "name", "format", "architecture", "abilities", "obstacles", "parameters", "bytes",
          "cache_bytes_per_token", "layers", "notes", "damaged",
        ])
    #expect(result["abilities"] as? [String] == ["weights", "runs", "differentiates"])
    #expect((result["obstacles"] as? [String: String])?.isEmpty == true)
    #expect(result["format"] as? String == "huggingface")
    #expect(result["architecture"] as? String == "llama")
    #expect(result["parameters"] as? Int == description.parameterCount)
    #expect(result["bytes"] as? Int == description.parameterCount * 4)
    let layers = try #require(result["layers"] as? [[String: Any]])
    #expect(layers.map { $0["name"] as? String } == description.layers.map(\.name))
    let down = try #require(layers.last)
    #expect(Set(down.keys) == ["name", "role", "block", "shape", "dtype", "bytes"])
    #expect(down["role"] as? String == "down_proj")
    #expect(down["block"] as? Int == 1)
    #expect(down["shape"] as? [Int] == [32, 64])
    #expect(down["dtype"] as? String == "F32")
    #expect(down["bytes"] as? Int == 32 * 64 * 4)
  }

  @Test func inspectShowsWhatAStructureLeaves() throws {
    let plan = try model.write("vise: 1\nstructure: { blocks: [0] }\n", to: "structure.yaml")
    let result = try json("inspect", "--plan", plan)
    let layers = try #require(result["layers"] as? [[String: Any]])
    #expect(layers.count == 8)
    #expect(layers.last?["name"] as? String == "model.layers.0.mlp.down_proj")
    #expect(result["bytes"] as? Int == (result["parameters"] as? Int).map { $0 * 4 })
    let wrong = try model.write("vise: 1\nstructure: { blocks: [2] }\n", to: "wrong.yaml")
    let run = try ViseProcess(["inspect", model.path, "--plan", wrong])
    #expect(run.status == 65)
    #expect(run.errors.contains("no block 2"))
  }

  @Test func inspectTableFitsEightyColumns() throws {
    let run = try ViseProcess(["inspect", model.path])
    #expect(run.status == 0)
    let lines = run.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.contains { $0.hasPrefix("model.layers.1.mlp.down_proj") && $0.contains("32x64") })
  }

  @Test func logitsAreWrittenAndCounted() throws {
    let text = try model.write("In the beginning was the word.", to: "text.txt")
    let output = model.path + ".safetensors"
    defer { try? FileManager.default.removeItem(atPath: output) }
    let result = try json(
      "logits", "--plan", plan, "--text", text, "--tokens", "20", "--output", output)
    #expect(Set(result.keys) == ["output", "tokens", "vocabulary", "bytes"])
    #expect(result["tokens"] as? Int == 20)
    #expect(result["vocabulary"] as? Int == TinyModel.vocabulary)
    #expect(try Data(contentsOf: URL(filePath: output)).count == result["bytes"] as? Int)
    let again = try ViseProcess(["logits", model.path, "--text", text, "--output", output])
    #expect(again.status == 1)
    #expect(again.errors.contains("--replace"))
  }

  @Test func previewReportsOnWhatThePlanCompresses() throws {
    let result = try json("preview", "--plan", plan)
    #expect(Set(result.keys) == ["layers", "total"])
    let layers = try #require(result["layers"] as? [[String: Any]])
    #expect(layers.count == 3 * TinyModel.blocks)
    let first = try #require(layers.first)
    #expect(
      Set(first.keys) == [
        "name", "scheme", "bytes_before", "bytes_after", "bits_per_weight", "mse", "sqnr_db",
        "cosine", "max_error",
      ])
    let report = try exactReport(
      on: "model.layers.0.mlp.gate_proj",
      under: Scheme(quantization: QuantizationScheme(bits: 3, group: .size(32))))
    #expect(first["name"] as? String == report.layer)
    #expect(first["bytes_after"] as? Int == report.size.total)
    // The engine takes the rows in other slices, so sums may differ in their last digit.
    let mse = try #require(first["mse"] as? Double)
    #expect(abs(mse / report.error.mse - 1) < 1e-9)
    let sqnr = try #require(first["sqnr_db"] as? Double)
    #expect(abs(sqnr - (report.error.sqnr ?? .infinity)) < 1e-6)
    let total = try #require(result["total"] as? [String: Any])
    let saved = layers.reduce(0) {
      $0 + ($1["bytes_before"] as? Int ?? 0) - ($1["bytes_after"] as? Int ?? 0)
    }
    #expect(
      total["bytes_after"] as? Int == (total["bytes_before"] as? Int).map { $0 - saved })
  }

  private func exactReport(on layer: String, under scheme: Scheme) throws -> LayerReport {
    let checkpoint = try Checkpoint.open(model.path)
    let shape = try #require(checkpoint.description.layerShapes.first { $0.name == layer })
    var compressor = try LayerCompressor(
      matrix: checkpoint.matrix(of: layer), shape: shape, scheme: scheme)
    while !compressor.isFinished { try compressor.step(rows: 100) }
    let result = compressor.finish(original: shape.rows * shape.columns * 4)
    return try #require(result).report
  }

  @Test func previewTakesASchemeFromOptions() throws {
    let result = try json(
      "preview", "--bits", "4", "--group", "16", "--asymmetric", "--range", "mse", "--sparsity",
      "2:4", "--layers", "*.v_proj")
    let layers = try #require(result["layers"] as? [[String: Any]])
    #expect(layers.count == TinyModel.blocks)
    #expect(layers.first?["scheme"] as? String == "4 bit g16 asym mse, 2:4 50 %")
  }

  /// A pruned layer's size with a bitmask, and what the same bytes hold without zeros.
  @Test func previewSetsMaskedLayersAgainstDenseOnes() throws {
    let result = try json(
      "preview", "--bits", "4", "--group", "16", "--sparsity", "0.5", "--layers", "*.up_proj")
    let layer = try #require((result["layers"] as? [[String: Any]])?.first)
    let weights = TinyModel.hidden * TinyModel.intermediate
    // One bit of mask, two of surviving codes, a 16-bit scale for 16 weights.
    #expect(layer["bytes_with_bitmask"] as? Int == weights * 4 / 8)
    let dense = try #require(layer["dense"] as? [String: Any])
    #expect(dense["scheme"] as? String == "3 bit g16 sym")
    let exact = try exactReport(
      on: "model.layers.0.mlp.up_proj",
      under: Scheme(quantization: QuantizationScheme(bits: 3, group: .size(16))))
    #expect(dense["bytes"] as? Int == exact.size.total)
    let sqnr = try #require(dense["sqnr_db"] as? Double)
    #expect(abs(sqnr - (exact.error.sqnr ?? .infinity)) < 1)
  }

  @Test func pruneWritesAPlanThatLeavesOutWhatItSays() throws {
    let text = try model.write(
      String(repeating: "In the beginning.\n", count: 40), to: "text.txt")
    let output = model.path + "/pruned.yaml"
    let rules = try model.write(
      """
      vise: 1
      rules:
        - layers: model.layers.1.mlp.down_proj
          bits: 3
          group: 32
      """, to: "rules.yaml")
    let result = try json(
      "prune", "--text", text, "--window", "64", "--block-tokens", "128", "--gradient-tokens",
      "128", "--blocks", "1", "--neurons", "50%", "--plan", rules, "--output", output)
    #expect(
      Set(result.keys) == [
        "text", "blocks", "removed_blocks", "neurons", "kv_heads", "experts", "bytes_before",
        "bytes_after", "output",
      ])
    let loss = try #require((result["blocks"] as? [[String: Any]])?.first)
    #expect(loss["kld"] as? Double ?? 0 > 0)
    let removed = try #require(loss["block"] as? Int)
    #expect(result["removed_blocks"] as? [Int] == [removed])
    #expect(result["neurons"] as? Int == 32 && result["kv_heads"] as? Int == 1)
    let plan = try Plan(yaml: String(contentsOfFile: output, encoding: .utf8))
    #expect(plan.structure?.removedBlocks == [removed] && plan.structure?.cuts.count == 1)
    let checkpoint = try Checkpoint.open(model.path).pruned(by: try #require(plan.structure))
    #expect(result["bytes_after"] as? Int == checkpoint.description.tensorBytes)
    // The rule of block 1 went with it, or is of the only block that is left.
    let schemes = try plan.schemes(for: checkpoint.description.layerShapes)
    #expect(schemes.values.count { !$0.keepsLayer } == 1 - removed)
    #expect(schemes["model.layers.0.mlp.down_proj"]?.keepsLayer == (removed == 1))

    let run = try ViseProcess(["prune", model.path, "--text", text, "--kv-heads", "2"])
    #expect(run.status == 1 && run.errors.contains("more than the model's 1"))
  }

  @Test func previewTableFitsEightyColumns() throws {
    let run = try ViseProcess(["preview", model.path, "--bits", "8", "--group", "channel"])
    #expect(run.status == 0)
    #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func generatePrintsTheTextAsItIs() throws {
    let arguments = ["--prompt", "Hello", "--raw", "--tokens", "20"]
    let answer = try #require(
      try json("generate", "--prompt", "Hello", "--raw", "--tokens", "20")["reference"]
        as? [String: Any])
    #expect(
      Set(answer.keys) == [
        "text", "token_ids", "tokens_per_second", "prompt_tokens", "prompt_seconds",
        "cache_bytes",
      ])
    #expect((answer["token_ids"] as? [Int])?.count == 20)
    let run = try ViseProcess(["generate", model.path] + arguments)
    #expect(run.output == (answer["text"] as? String).map { $0 + "\n" })
    #expect(run.errors.isEmpty)
  }

  @Test func generateAnswersWithWhomItIsAskedFor() throws {
    let prompt = ["--prompt", "Hello", "--raw", "--tokens", "5", "--json"]
    let keys = try [[], ["--plan", plan], ["--plan", plan, "--compare"]].map { more in
      Set(try ViseProcess(["generate", model.path] + prompt + more).object().keys)
    }
    #expect(keys == [["reference"], ["compressed"], ["reference", "compressed"]])
    let run = try ViseProcess(
      ["generate", model.path, "--prompt", "Hello", "--raw", "--plan", plan, "--compare"])
    let headings = run.output.split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(headings.first == "[reference]")
    #expect(headings.contains("[compressed]"))
  }

  @Test func severalPromptsAreTurnsOrEachByItself() throws {
    let file = try model.write("One\n\nTwo\n", to: "prompts.txt")
    let settings = ["--raw", "--tokens", "4", "--plan", plan, "--compare", "--json"]
    func answers(_ arguments: [String]) throws -> [[String: Any]] {
      let object = try ViseProcess(["generate", model.path] + arguments + settings).object()
      return try #require(object["answers"] as? [[String: Any]])
    }
    let apart = try answers(["--prompts", file])
    #expect(apart.map { $0["prompt"] as? String } == ["One", "Two"])
    #expect(
      Set(apart[0].keys).isSuperset(of: ["prompt", "reference", "compressed", "same", "kld"]))
    let turns = try answers(["--prompts", file, "--turns"])
    func count(_ answer: [String: Any]) -> Int? {
      (answer["reference"] as? [String: Any])?["prompt_tokens"] as? Int
    }
    #expect(count(apart[1]) == 3 && (count(turns[1]) ?? 0) > 6)
    #expect(try answers(["--prompt", "One", "--prompt", "Two"]).count == 2)
    let table = try ViseProcess(
      ["generate", model.path, "--prompts", file] + settings.dropLast()
    ).output
    #expect(table.contains("parts at") && table.contains("> Two"))
  }

  @Test func partTellsWhatEachBlockAdds() throws {
    let result = try json(
      "part", "--plan", plan, "--prompt", "Hello", "--raw", "--tokens", "6", "--each-token")
    #expect(Set(result.keys) == ["prompt", "answer", "token_ids", "blocks", "tokens"])
    let blocks = try #require(result["blocks"] as? [[String: Any]])
    #expect(blocks.map { $0["place"] as? String } == ["block", "block", "head"])
    #expect(
      Set(blocks[0].keys) == [
        "place", "block", "own_error", "relative_error", "kld", "added_kld", "parting",
      ])
    #expect(blocks[2]["block"] is NSNull)
    let tokens = try #require(result["tokens"] as? [[String: Any]])
    #expect(tokens.count == 6)
    #expect(Set(tokens[0].keys) == ["token_id", "text", "kld", "reference", "compressed"])
    let run = try ViseProcess([
      "part", model.path, "--plan", plan, "--prompt", "Hello", "--raw", "--tokens", "6",
    ])
    #expect(run.status == 0 && run.output.contains("block 1") && run.output.contains("own error"))
  }

  @Test func seedMakesSamplingRepeatable() throws {
    func text(_ seed: String) throws -> String {
      try ViseProcess([
        "generate", model.path, "--prompt", "Hello", "--raw", "--temperature", "1", "--top-k", "50",
        "--top-p", "0.9", "--seed", seed, "--tokens", "40",
      ]).output
    }
    let first = try text("1")
    #expect(try text("1") == first)
    #expect(try text("2") != first)
  }

  @Test func evaluateMeasuresTheModelAndThePlan() throws {
    let text = try model.write(
      String(repeating: "In the beginning.\n", count: 40), to: "text.txt")
    let alone = try json("evaluate", "--text", text, "--window", "64", "--windows", "3")
    #expect(Set(alone.keys) == ["tokens", "windows", "ppl", "ppl_error"])
    #expect(alone["tokens"] as? Int == 3 * 31)
    let beside = try json(
      "evaluate", "--text", text, "--window", "64", "--windows", "3", "--plan", plan)
    #expect(
      Set(beside.keys) == [
        "tokens", "windows", "ppl", "ppl_error", "reference_ppl", "reference_ppl_error", "kld",
        "rms_probability_change", "rms_probability_change_error", "top1_agreement",
        "top1_agreement_error",
      ])
    #expect(beside["reference_ppl"] as? Double == alone["ppl"] as? Double)
    let divergence = try #require(beside["kld"] as? [String: Double])
    let figures = ["mean", "median", "p99", "max"]
    #expect(Set(divergence.keys) == Set(figures + figures.map { "\($0)_error" }))
    #expect(divergence.values.allSatisfy { $0 > 0 })
  }
}
