import Compression
import Engine
import Export
import Foundation
import Serving
import Testing

/// What goes to a cluster for a plan, and for sensitivity.
@Suite struct PackJobTests {
  private static let job = JobID(9)

  private let model: TinyModel
  private let driver: Driver

  init() throws {
    model = try TinyModel()
    driver = Driver(model, EngineSettings(threads: 1, streamsExports: true))
  }

  private func text() throws -> String {
    try model.write(String(repeating: "In the beginning was the word. ", count: 40), to: "text.txt")
  }

  private func pack(_ request: JobPackRequest) -> (packed: PackedJob?, failure: String?) {
    driver.send(.packJob(Self.job, request))
    driver.run()
    let packed = driver.events.compactMap { event in
      if case .jobPacked(Self.job, let packed) = event { packed } else { nil }
    }.last
    guard
      case .failed(let reason)? = driver.events.endings.last(where: { $0.id == Self.job })?.outcome
    else { return (packed, nil) }
    return (nil, reason)
  }

  private func setPlan(_ change: SchemeChange) {
    driver.send(.setPlan(Plan(rules: [PlanRule(layers: ["*.mlp.*"], change: change)])))
  }

  private struct Windows: Decodable {
    let windows: [[Int]]
  }

  @Test func aPlanGoesWithItsProgramsAndWindows() throws {
    setPlan(SchemeChange(bits: 4, group: .size(32), method: .gptq))
    let text = try text()
    let packed = try #require(
      pack(
        JobPackRequest(
          .compression(.transformers), calibrationPath: text, calibrationTokens: 128,
          evaluationPath: text, evaluationWindows: 2, window: 64)
      ).packed)
    #expect(packed.request.steps == ["compress", "evaluate"])
    #expect(
      packed.files.map(\.name) == [
        "recipe.yaml", "run.py", "evaluate.py", "windows.py", "job.py", "fetch.py", "plan.yaml",
        "measurement.json", "README.md", "calibration.json", "evaluation.json",
      ])
    for name in ["calibration.json", "evaluation.json"] {
      let file = try #require(packed.files.first { $0.name == name })
      let read = try JSONDecoder().decode(Windows.self, from: Data(file.text.utf8))
      #expect(read.windows.map(\.count) == [64, 64], "\(name)")
    }
    #expect(try Plan(yaml: packed.plan).rules.count == 1)
    #expect(packed.bytes > 0 && packed.bitsPerWeight > 4)
    // Nothing was compressed for it.
    #expect(driver.events.reports.isEmpty)
  }

  @Test func roundingNeedsNoText() throws {
    setPlan(SchemeChange(bits: 4, group: .size(32)))
    let packed = try #require(pack(JobPackRequest(.compression(.transformers))).packed)
    #expect(packed.request.steps == ["compress"])
    #expect(!packed.files.contains { $0.name.hasSuffix("calibration.json") })
  }

  @Test func whatCannotBeDoneThereIsRefused() throws {
    setPlan(SchemeChange(bits: 4, group: .size(32), isSymmetric: false, method: .hqq))
    #expect(pack(JobPackRequest(.compression(.transformers))).failure?.contains("no HQQ") == true)
    #expect(pack(JobPackRequest(.compression(.llamaCpp))).failure?.contains("vise export") == true)
    let scheme = Scheme(quantization: QuantizationScheme(block: .q4_0))
    #expect(pack(JobPackRequest(.sensitivity([scheme]))).failure?.contains("4g128/rtn") == true)
  }

  @Test func sensitivityGoesWithWhatEachLayerWouldTake() throws {
    let schemes = [32, 64, 7].map {
      Scheme(quantization: QuantizationScheme(bits: 4, group: .size($0)))
    }
    let packed = try #require(
      pack(JobPackRequest(.sensitivity(schemes), calibrationPath: try text(), window: 64)).packed)
    #expect(packed.request.steps == ["sensitivity"] && packed.plan.isEmpty)
    struct List: Decodable {
      struct Layer: Decodable {
        let name: String
        let bytes: [Int?]
      }
      let version: Int
      let layers: [Layer]
    }
    let file = try #require(packed.files.first { $0.name == "layers.json" })
    let list = try JSONDecoder().decode(List.self, from: Data(file.text.utf8))
    #expect(list.layers.count == TinyModel.layers)
    // No row is a multiple of 7.
    #expect(list.layers.allSatisfy { $0.bytes.count == 3 && $0.bytes[2] == nil })
    #expect(list.layers.contains { ($0.bytes[0] ?? 0) > ($0.bytes[1] ?? 0) })
  }

  // MARK: How it is run

  @Test func theSameFilesHaveTheSameFolder() throws {
    setPlan(SchemeChange(bits: 4, group: .size(32)))
    let request = JobPackRequest(.compression(.transformers))
    let packed = try #require(pack(request).packed)
    let package = JobPackage(files: packed.files)
    let again = JobPackage(files: try #require(pack(request).packed).files)
    var cluster = ClusterRequest(model: "org/model name", root: "~/jobs", gpus: 2)
    #expect(cluster.folder(of: package) == cluster.folder(of: again))
    cluster.serving = ["--port", "8000"]
    let job = cluster.submission(of: packed, in: package, id: "vise_a")
    #expect(
      job.entrypoint == "python job.py --model 'org/model name' --work ~/jobs/\(package.digest) "
        + "--steps compress,serve '--serve=--port 8000'")
    cluster.serving?.append("ray")
    #expect(cluster.submission(of: packed, in: package, id: "vise_a").gpus == 0)
    #expect(job.gpus == 2 && job.package == package.name && job.notes["vise_folder"] != nil)
  }
}
