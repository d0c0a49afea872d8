import Export
import Foundation
import TestSupport
import Testing

/// `vise ladder` and `vise verify`, and the receipts of `vise export`.
@Suite struct ReceiptCommandTests {
  private let model: TinyModel
  private let plan: String
  private let text: String
  private let folder: TemporaryFolder

  init() throws {
    model = try TinyModel()
    folder = try TemporaryFolder()
    plan = try model.write(
      "vise: 1\nrules:\n  - { layers: \"*.mlp.*\", type: Q4_0 }\n", to: "plan.yaml")
    text = try model.write(
      String(repeating: "In the beginning God created the heaven and the earth.\n", count: 20),
      to: "text.txt")
  }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  private func export(_ more: String...) throws -> String {
    let run = try ViseProcess(
      ["export", model.path, "--plan", plan, "--format", "gguf", "--output", path("out.gguf")]
        + more)
    #expect(run.status == 0, "\(run.errors)")
    return path("out.gguf")
  }

  private func checks(_ run: ViseProcess) throws -> [String: String] {
    let all = try #require(try run.object()["checks"] as? [[String: Any]])
    return Dictionary(
      all.compactMap { check in
        (check["name"] as? String).flatMap { name in
          (check["result"] as? String).map { (name, $0) }
        }
      }, uniquingKeysWith: { first, _ in first })
  }

  @Test func anExportAndItsMeasurementAreFoundAsTheReceiptSays() throws {
    let output = try export("--measure", text)
    let run = try ViseProcess(["verify", output, "--rebuild", "--json"])
    #expect(run.status == 0, "\(run.errors)")
    let checks = try checks(run)
    #expect(Set(checks.values) == ["same"])
    #expect(checks["out.gguf"] == "same" && checks["out.gguf, made again"] == "same")
    #expect(checks["kld on \(text)"] == "same")
    // Nothing is left of making it again.
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0.contains("verify") })
  }

  /// The hash is XXH64 as its specification has it: of no bytes ef46db3751d8e999.
  @Test func filesAreHashedAsXxhsumDoes() throws {
    let empty = try model.write("", to: "empty")
    #expect(try FileHashing.file(empty, as: "empty").xxh64 == "ef46db3751d8e999")
    // Of `abc`, by the specification's test vectors: 44bc2cf5ad770999.
    let abc = try model.write("abc", to: "abc")
    #expect(try FileHashing.file(abc, as: "abc").xxh64 == "44bc2cf5ad770999")
  }

  @Test func oneChangedByteIsFound() throws {
    let output = try export()
    let file = try #require(FileHandle(forUpdatingAtPath: output))
    try file.seek(toOffset: try file.seekToEnd() - 40)
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: try file.offset() - 1)
    try file.write(contentsOf: [byte ^ 1])
    try file.close()
    let run = try ViseProcess(["verify", output, "--files-only", "--json"])
    #expect(run.status == 1)
    #expect(run.errors.contains("1 check differs"))
    #expect(try checks(run)["out.gguf"] == "differs")
  }

  @Test func aFileThatIsGoneAndAnotherPlanAreFound() throws {
    let integers = try model.write(
      "vise: 1\nrules:\n  - { layers: \"*.mlp.*\", bits: 4, group: 16 }\n", to: "integers.yaml")
    let run = try ViseProcess([
      "export", model.path, "--plan", integers, "--format", "compressed-tensors", "--target",
      "transformers", "--output", path("out"),
    ])
    #expect(run.status == 0, "\(run.errors)")
    try Data("mine".utf8).write(to: URL(filePath: path("out/notes.txt")))
    let whole = try ViseProcess(["verify", path("out"), "--files-only", "--json"])
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try checks(whole)["plan"] == "same")
    #expect(try checks(whole)["notes.txt"] == "unchecked")
    let receipt = URL(filePath: Receipt.path(ofExport: path("out")))
    let text = try String(contentsOf: receipt, encoding: .utf8)
    let changed = text.replacing("bits: 4", with: "bits: 3")
    #expect(changed != text)
    try changed.write(to: receipt, atomically: true, encoding: .utf8)
    #expect(
      try checks(ViseProcess(["verify", path("out"), "--files-only", "--json"]))["plan"]
        == "differs")
    try text.write(to: receipt, atomically: true, encoding: .utf8)
    try FileManager.default.removeItem(atPath: path("out/model.safetensors"))
    let gone = try ViseProcess(["verify", path("out"), "--files-only", "--json"])
    #expect(gone.status == 1)
    #expect(try checks(gone)["model.safetensors"] == "differs")
  }

  @Test func anotherOriginalIsNamedAndOneThatIsGoneIsNoFailure() throws {
    let output = try export("--measure", text)
    let other = try TinyModel(seed: 9)
    let run = try ViseProcess(["verify", output, "--source", other.path, "--json"])
    #expect(run.status == 1)
    #expect(try checks(run)["original \(other.path)"] == "differs")
    try FileManager.default.removeItem(atPath: "\(model.path)/model.safetensors")
    let gone = try ViseProcess(["verify", output, "--json"])
    #expect(gone.status == 0, "\(gone.errors)")
    #expect(try checks(gone)["original \(model.path)"] == "unchecked")
  }

  @Test(arguments: [
    ("no JSON", "is no receipt"), ("{}", "is missing"), ("{\"vise\": 1, \"files\": 3}", "receipt"),
  ])
  func aReceiptThatIsNoneIsNamed(_ contents: String, _ reason: String) throws {
    let output = try export()
    try contents.write(toFile: "\(output).receipt.json", atomically: true, encoding: .utf8)
    let run = try ViseProcess(["verify", output])
    #expect(run.status == 1)
    #expect(run.errors.contains("out.gguf.receipt.json") && run.errors.contains(reason))
  }

  @Test func aReceiptLeadsToNoFileOutsideOfTheExport() throws {
    let output = try export()
    var receipt = try Receipt(ofExport: output)
    receipt.files[0].name = "../../etc/passwd"
    try receipt.write(besideExport: output)
    let run = try ViseProcess(["verify", output])
    #expect(run.status == 1)
    #expect(run.errors.contains("names files outside of the export"))
  }

  @Test func withoutAReceiptThereIsNothingToVerify() throws {
    let output = try export("--no-receipt")
    #expect(!FileManager.default.fileExists(atPath: "\(output).receipt.json"))
    let run = try ViseProcess(["verify", output])
    #expect(run.status == 1)
    #expect(run.errors.contains("has no receipt"))
  }

  @Test func aLadderHasAFileAPlanAndAReceiptForEachSize() throws {
    let arguments = [
      "ladder", model.path, "--sizes", "7bpw,9bpw", "--target", "llama.cpp", "--output",
      path("ladder"), "--types", "Q4_0,Q8_0", "--text", text, "--measure", text, "--json",
    ]
    let run = try ViseProcess(arguments)
    #expect(run.status == 0, "\(run.errors)")
    let rungs = try #require(try run.object()["rungs"] as? [[String: Any]])
    #expect(rungs.map { $0["size"] as? String } == ["7bpw", "9bpw"])
    let klds = rungs.compactMap { $0["kld"] as? Double }
    #expect(klds.count == 2 && klds[0] > klds[1])
    for rung in rungs {
      let file = try #require(rung["path"] as? String)
      let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
      #expect(size == rung["bytes"] as? Int)
      #expect(try ViseProcess(["verify", file]).status == 0)
    }
    let card = try String(contentsOfFile: path("ladder/README.md"), encoding: .utf8)
    #expect(
      card.split(separator: "\n").count { $0.hasPrefix("| ") && $0.contains("bpw.gguf") } == 2)
    // Once more, nothing is written anew; for another plan the file stays and the command says so.
    let again = try ViseProcess(arguments)
    #expect(try again.object()["rungs"] as? NSArray == rungs as NSArray)
    let file = path("ladder/\(URL(fileURLWithPath: model.path).lastPathComponent)-9bpw.gguf")
    var receipt = try Receipt(ofExport: file)
    receipt.plan = try String(contentsOfFile: plan, encoding: .utf8)
    try receipt.write(besideExport: file)
    let other = try ViseProcess(arguments)
    #expect(other.status == 1)
    #expect(other.errors.contains("of another plan"))
  }
}
