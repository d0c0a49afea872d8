import Checkpoints
import Export
import Foundation
import Tensors
import Testing

/// `vise export`, `compress`, `compare` and `targets`: what they print, and what they leave on the disk.
@Suite struct ExportCommandTests {
  private let model: TinyModel
  private let plan: String
  private let text: String

  init() throws {
    model = try TinyModel()
    plan = try model.write(
      "vise: 1\nrules:\n  - { layers: \"*.mlp.*\", type: Q4_0 }\n", to: "plan.yaml")
    text = try model.write(
      String(repeating: "In the beginning God created the heaven and the earth.\n", count: 20),
      to: "text.txt")
  }

  private func path(_ name: String) -> String { "\(model.path)/\(name)" }

  private func size(of name: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path(name))[.size] as? Int)
  }

  @Test func exportsAndSaysWhatItWrote() throws {
    let arguments = ["export", model.path, "--plan", plan, "--format", "gguf", "--json"]
    let dry = try ViseProcess(arguments + ["--dry-run"])
    #expect(dry.status == 0, "\(dry.errors)")
    let run = try ViseProcess(arguments + ["--output", path("out.gguf")])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.isEmpty)
    let (promised, result) = (try dry.object(), try run.object())
    #expect(
      Set(result.keys) == [
        "format", "target", "output", "written", "bytes", "files", "refusals", "notes",
      ])
    #expect(result["target"] as? String == "llama.cpp")
    #expect(promised["written"] as? Bool == false)
    #expect(result["written"] as? Bool == true)
    #expect(promised["bytes"] as? Int == result["bytes"] as? Int)
    #expect(result["bytes"] as? Int == (try size(of: "out.gguf")))
    #expect(try Checkpoint.open(path("out.gguf")).description.blockCount == TinyModel.blocks)
    let again = try ViseProcess(arguments + ["--output", path("out.gguf")])
    #expect(again.status == 1)
    #expect(again.errors.contains("exists already"))
    #expect(try ViseProcess(arguments + ["--output", path("out.gguf"), "--replace"]).status == 0)
  }

  @Test func refusalsAreListedByLayer() throws {
    let wrong = try model.write(
      "vise: 1\nrules:\n  - { layers: \"*.v_proj\", bits: 4, group: 32 }\n", to: "wrong.yaml")
    let arguments = [
      "export", model.path, "--plan", wrong, "--target", "llama.cpp", "--output", path("out.gguf"),
    ]
    let run = try ViseProcess(arguments + ["--json"])
    #expect(run.status == 65)
    let refusals = try #require(try run.object()["refusals"] as? [[String: String]])
    #expect(
      refusals.map { $0["layer"] }
        == (0..<TinyModel.blocks).map { "model.layers.\($0).self_attn.v_proj" })
    #expect(refusals.allSatisfy { $0["nearest"] == "Q4_0" && $0["reason"]?.isEmpty == false })
    let table = try ViseProcess(arguments)
    #expect(table.status == 65)
    #expect(table.output.contains("model.layers.1.self_attn.v_proj  Q4_0"))
    #expect(table.errors.contains("cannot hold 2 layers"))
    #expect(!FileManager.default.fileExists(atPath: path("out.gguf")))
  }

  @Test(arguments: [
    ([], "--format"), (["--format", "gguf"], "--output"), (["--format", "onnx"], "onnx"),
    (["--format", "gguf", "--target", "vllm", "--output", "x"], "vllm loads"),
  ])
  func wrongCommandLine(arguments: [String], says: String) throws {
    let run = try ViseProcess(["export", model.path] + arguments)
    #expect(run.status == 64)
    #expect(run.errors.contains(says), "\(run.errors)")
  }

  /// A limit on the size of files is the next best thing to a disk that is full.
  @Test func fullDiskIsOneClearError() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = [
      "-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "bash", try ViseProcess.binary().path,
      "export", model.path, "--plan", plan, "--format", "gguf", "--output", path("out.gguf"),
    ]
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let said = String(
      decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(said.hasPrefix("vise: error: ") && said.contains("File too large"), "\(said)")
    #expect(!FileManager.default.fileExists(atPath: path("out.gguf")))
  }

  @Test func reportsMeasureAndAnswer() throws {
    let run = try ViseProcess([
      "export", model.path, "--plan", plan, "--format", "report", "--output", path("report"),
      "--text", text, "--window", "64", "--windows", "1", "--prompt", "In the", "--tokens", "4",
      "--json",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let files = try #require(try run.object()["files"] as? [[String: Any]])
    #expect(files.map { $0["name"] as? String } == ["report.html", "report.md", "report.json"])
    for file in files {
      let name = try #require(file["name"] as? String)
      #expect(file["bytes"] as? Int == (try size(of: "report/\(name)")))
    }
    let data = try Data(contentsOf: URL(filePath: path("report/report.json")))
    let report = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let figures = try #require(report["figures"] as? [[String: Any]])
    #expect(figures.contains { $0["name"] as? String == "mean KLD" })
    let answers = try #require(report["answers"] as? [[String: String]])
    #expect(answers.map { $0["prompt"] } == ["In the"])
    #expect(answers.allSatisfy { $0["original"]?.isEmpty == false })
    let unasked = try ViseProcess([
      "export", model.path, "--format", "gguf", "--output", path("x.gguf"), "--prompt", "In",
    ])
    #expect(unasked.status == 64)
  }

  @Test func recipesOfBothKinds() throws {
    let layers = try model.write(
      "vise: 1\nrules:\n  - { layers: \"*.mlp.*\", bits: 4, group: 32 }\n", to: "int.yaml")
    let arguments = ["export", model.path, "--format", "recipe", "--json"]
    let first = try ViseProcess(arguments + ["--plan", layers, "--output", path("recipe")])
    #expect(first.status == 0, "\(first.errors)")
    let recipe = try String(contentsOfFile: path("recipe/recipe.yaml"), encoding: .utf8)
    #expect(recipe.contains("- model.layers.0.mlp.up_proj\n"))
    #expect(!recipe.contains("self_attn"))
    let second = try ViseProcess(
      arguments + ["--plan", plan, "--target", "llama.cpp", "--output", path("types")])
    #expect(second.status == 0, "\(second.errors)")
    let types = try String(contentsOfFile: path("types/tensor-types.txt"), encoding: .utf8)
    #expect(types.contains("^blk\\.0\\.ffn_up\\.weight$=q4_0\n"))
    // GGUF's blocks are nothing that llm-compressor makes.
    let third = try ViseProcess(arguments + ["--plan", plan, "--output", path("no")])
    #expect(third.status == 65)
    #expect(!FileManager.default.fileExists(atPath: path("no")))
  }

  @Test func compressGoesAllTheWay() throws {
    let run = try ViseProcess([
      "compress", model.path, "--budget", "9bpw", "--format", "gguf", "--types",
      "Q4_0/rtn,Q8_0/rtn", "--output", path("small.gguf"), "--text", text, "--window", "64",
      "--tokens", "256", "--json",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let result = try run.object()
    #expect(Set(result.keys) == ["allocation", "export"])
    let export = try #require(result["export"] as? [String: Any])
    #expect(export["bytes"] as? Int == (try size(of: "small.gguf")))
    let allocation = try #require(result["allocation"] as? [String: Any])
    let written = try Checkpoint.open(path("small.gguf")).description
    let schemes = try #require(allocation["layers"] as? [[String: Any]])
    for (layer, scheme) in zip(written.layers, schemes) {
      let summary = try #require(scheme["scheme"] as? String)
      #expect(summary == "keep" || summary.hasPrefix(layer.type.rawValue))
    }
    #expect(written.layers.contains { $0.type == .q4_0 || $0.type == .q8_0 })
  }

  @Test func compareMeasuresBothCheckpoints() throws {
    let output = path("out.gguf")
    _ = try ViseProcess([
      "export", model.path, "--plan", plan, "--format", "gguf", "--output", output,
    ])
    let arguments = ["--text", text, "--window", "64", "--windows", "3"]
    let run = try ViseProcess(["compare", model.path, output] + arguments + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    let result = try run.object()
    #expect(
      Set(result.keys) == [
        "a", "b", "layers", "tokens", "windows", "kld", "rms_probability_change",
        "rms_probability_change_error", "top1_agreement", "top1_agreement_error",
      ])
    let (a, b) = (result["a"] as? [String: Any] ?? [:], result["b"] as? [String: Any] ?? [:])
    #expect(Set(a.keys) == ["path", "bytes", "bits_per_weight", "ppl", "ppl_error"])
    #expect(a["bits_per_weight"] as? Double == 32)
    #expect((b["bits_per_weight"] as? Double ?? 32) < 32)
    // The file says what the plan says of the model that it was made from.
    let planned = try ViseProcess(
      ["evaluate", model.path, "--plan", plan] + arguments + ["--json"]
    ).object()
    #expect(b["ppl"] as? Double == planned["ppl"] as? Double)
    #expect(result["kld"] as? [String: Double] == planned["kld"] as? [String: Double])
  }

  @Test func targetsListsTheTable() throws {
    let run = try ViseProcess(["targets"])
    #expect(run.status == 0)
    for target in ExportTarget.allCases { #expect(run.output.contains("\(target.rawValue): ")) }
    let rows = try ViseProcess(["targets", "--json"]).object()["targets"] as? [[String: Any]]
    #expect(rows?.map { $0["target"] as? String } == ExportTarget.allCases.map(\.rawValue))
    #expect(rows?.allSatisfy { $0["zeros_shrink"] as? Bool == false } == true)
  }
}
