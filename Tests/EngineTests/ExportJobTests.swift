import Compression
import Engine
import Export
import Foundation
import Testing

/// Exports of a small model: what is promised is written, whatever comes in between.
@Suite struct ExportJobTests {
  private static let job = JobID(7)
  private static let streaming = EngineSettings(threads: 1, streamsExports: true)

  private let model: TinyModel
  private let plan = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(block: .q4_0)),
    PlanRule(layers: ["*.v_proj"], change: SchemeChange(block: .q8_0)),
    PlanRule(layers: ["*.o_proj", "*embed*"], change: SchemeChange(keeps: true)),
    PlanRule(
      layers: ["*.down_proj"],
      change: SchemeChange(
        keeps: true, sparsity: .scheme(SparsityScheme(pattern: .unstructured(ratio: 0.5))))),
  ])

  init() throws { model = try TinyModel() }

  private func request(_ name: String, replaces: Bool = false) -> ExportRequest {
    ExportRequest(
      format: .gguf, target: .llamaCpp, path: "\(model.path)/\(name)", replaces: replaces)
  }

  private func contents(of name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(model.path)/\(name)"))
  }

  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(model.path)/\(name)")
  }

  /// An engine with the plan; without streaming, the compressed model runs before the export begins.
  private func makeDriver(_ settings: EngineSettings = streaming) -> Driver {
    let driver = Driver(model, settings)
    driver.send(.setPlan(plan))
    if !settings.streamsExports { driver.run() }
    return driver
  }

  private func outcome(of driver: Driver) -> JobOutcome? {
    driver.events.endings.last { $0.id == Self.job }?.outcome
  }

  private func answer(in events: some Sequence<EngineEvent>) -> ExportPreview? {
    events.compactMap { if case .exportPreview(let found) = $0 { found } else { nil } }.first
  }

  @Test func previewedBytesAreThoseWritten() throws {
    let driver = makeDriver()
    let preview = try #require(answer(in: driver.send(.previewExport(request("out.gguf")))))
    #expect(preview.refusals.isEmpty && preview.obstacle == nil)
    #expect(preview.files.map(\.name) == ["out.gguf"])
    driver.send(.export(Self.job, request("out.gguf")))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    #expect(driver.events.contains(.exported(Self.job, preview)))
    #expect(try contents(of: "out.gguf").count == preview.bytes)
    #expect(!exists("out.gguf.partial"))
  }

  @Test func layersOfTheRunningModelAreThoseCompressedForTheFile() throws {
    let streaming = makeDriver()
    streaming.send(.export(Self.job, request("streamed.gguf")))
    streaming.run()
    // Nothing is kept, so no layer counts as done.
    #expect(streaming.events.reports.isEmpty)
    let running = makeDriver(EngineSettings(threads: 1))
    running.send(.export(Self.job, request("running.gguf")))
    running.run()
    #expect(try contents(of: "running.gguf") == contents(of: "streamed.gguf"))
  }

  @Test func waitsForCompressionThatIsUnderWay() throws {
    let driver = Driver(model)
    driver.send(.setPlan(plan))
    driver.send(.export(Self.job, request("out.gguf")))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    // Each layer is compressed once: sampled and exact reports.
    let compressed = TinyModel.layers - 1 - TinyModel.blocks
    #expect(driver.events.reports.count == 2 * compressed)
  }

  /// A text that somebody named is as good as one that lies beside the model, also before it is read.
  @Test(arguments: [true, false])
  func waitsForACalibrationThatIsUnderWay(streams: Bool) throws {
    let text = try model.write(
      String(repeating: "In the beginning was the word. ", count: 40), to: "text.txt")
    var settings = EngineSettings(threads: 1, streamsExports: streams)
    settings.textFolder = model.path
    let driver = Driver(model, settings)
    driver.send(
      .setPlan(
        Plan(rules: [
          PlanRule(layers: ["*"], change: SchemeChange(block: .q4_0, range: .weighted))
        ])))
    driver.send(.export(JobID(3), request("early.gguf")))
    driver.run()
    guard
      case .failed(let reason)? = driver.events.endings.last(where: { $0.id == JobID(3) })?.outcome
    else {
      Issue.record("nothing was there to calibrate on")
      return
    }
    #expect(reason.contains("--calibration FILE"))
    driver.send(
      .calibrate(JobID(1), CalibrationRequest(textPath: text, window: 64, tokenLimit: 256)))
    driver.send(.export(Self.job, request("out.gguf")))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    #expect(exists("out.gguf"))
  }

  /// Cancelled after any step, the same export completes the file and works on no more than is left.
  @Test func cancelledExportsAreResumed() throws {
    let whole = makeDriver()
    whole.send(.export(Self.job, request("whole.gguf")))
    let steps = whole.run()
    let expected = try contents(of: "whole.gguf")
    for count in stride(from: 1, to: steps, by: 5) {
      let name = "part-\(count).gguf"
      let first = makeDriver()
      first.send(.export(Self.job, request(name)))
      for _ in 0..<count { first.step() }
      first.send(.cancel(Self.job))
      #expect(outcome(of: first) == .cancelled)
      #expect(!exists(name))
      #expect(exists("\(name).partial"))
      let second = makeDriver()
      second.send(.export(Self.job, request(name)))
      // Each layer that is taken on is a step of its own.
      #expect(second.run() <= steps + TinyModel.layers)
      #expect(try contents(of: name) == expected)
      #expect(!exists("\(name).partial"))
    }
  }

  /// Turns the sign of the last elements of the model's file, in the file itself; a header of so many bytes stays.
  private func changeWeights(ofLast count: Int) throws {
    let file = try FileHandle(forUpdating: URL(filePath: "\(model.path)/model.safetensors"))
    let end = try file.seekToEnd()
    try file.seek(toOffset: end - UInt64(2 * count))
    var bytes = Array(try file.readToEnd() ?? Data())
    for place in stride(from: 1, to: bytes.count, by: 2) { bytes[place] ^= 0x80 }
    try file.seek(toOffset: end - UInt64(2 * count))
    try file.write(contentsOf: bytes)
    try file.close()
  }

  /// Weights that were corrected between the interruption and the next run are in the file, wherever they are.
  @Test(arguments: [1, 40, 3000])
  func changedWeightsAreCompressedAgain(count: Int) throws {
    let first = makeDriver()
    first.send(.export(Self.job, request("out.gguf")))
    for _ in 0..<8 { first.step() }
    first.send(.cancel(Self.job))
    try changeWeights(ofLast: count)
    for name in ["out.gguf", "clean.gguf"] {
      let next = makeDriver()
      next.send(.export(Self.job, request(name)))
      next.run()
      #expect(outcome(of: next) == .finished)
    }
    #expect(try contents(of: "out.gguf") == contents(of: "clean.gguf"))
  }

  /// A file that changes while it is exported is in the export half old and half new: there is none.
  @Test func weightsThatChangeMeanwhileEndTheExport() throws {
    let driver = makeDriver()
    driver.send(.export(Self.job, request("out.gguf")))
    for _ in 0..<8 { driver.step() }
    try changeWeights(ofLast: 40)
    driver.run()
    guard case .failed(let reason) = outcome(of: driver) else {
      Issue.record("the export did not fail")
      return
    }
    #expect(reason.contains("model.safetensors") && reason.contains("has changed"))
    #expect(!exists("out.gguf"))
  }

  /// A model that is cut off while it is read costs the job; another that is opened then is none the worse.
  @Test func modelThatIsCutOffCostsTheJob() throws {
    let driver = makeDriver()
    driver.send(.export(Self.job, request("out.gguf")))
    for _ in 0..<4 { driver.step() }
    let file = "\(model.path)/model.safetensors"
    let whole = try contents(of: "model.safetensors")
    try FileHandle(forUpdating: URL(filePath: file)).truncate(atOffset: 100)
    driver.run()
    guard case .failed(let reason) = outcome(of: driver) else {
      Issue.record("the export did not fail")
      return
    }
    #expect(reason.contains("model.safetensors"), "\(reason)")
    #expect(!exists("out.gguf"))
    #expect(
      driver.send(.open(path: model.path)).contains {
        if case .openFailed = $0 { true } else { false }
      })
    try whole.write(to: URL(filePath: file))
    driver.send(.open(path: model.path))
    driver.send(.setPlan(plan))
    driver.send(.export(Self.job, request("out.gguf")))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    let clean = makeDriver()
    clean.send(.export(Self.job, request("clean.gguf")))
    clean.run()
    #expect(try contents(of: "out.gguf") == contents(of: "clean.gguf"))
  }

  @Test func anotherPlanBeginsAfresh() throws {
    let first = makeDriver()
    first.send(.export(Self.job, request("out.gguf")))
    for _ in 0..<6 { first.step() }
    first.send(.cancel(Self.job))
    let second = Driver(model, Self.streaming)
    second.send(.setPlan(Plan()))
    second.send(.export(Self.job, request("out.gguf")))
    second.run()
    let kept = Driver(model, Self.streaming)
    kept.send(.export(Self.job, request("kept.gguf")))
    kept.run()
    #expect(try contents(of: "out.gguf") == contents(of: "kept.gguf"))
  }

  @Test func planThatChangesMeanwhileIsNotMixedIn() throws {
    let plain = makeDriver()
    plain.send(.export(Self.job, request("plain.gguf")))
    plain.run()
    let driver = makeDriver(EngineSettings(cacheBytes: 0, threads: 1))
    driver.send(.export(Self.job, request("out.gguf")))
    for _ in 0..<4 { driver.step() }
    driver.send(.setPlan(Plan()))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    #expect(try contents(of: "out.gguf") == contents(of: "plain.gguf"))
  }

  @Test func whatTheTargetCannotHoldIsRefusedBeforeAnyWork() throws {
    let driver = Driver(model, Self.streaming)
    driver.send(
      .setPlan(
        Plan(rules: [
          PlanRule(layers: ["*.q_proj"], change: SchemeChange(bits: 4, group: .size(32)))
        ])))
    let preview = try #require(answer(in: driver.send(.previewExport(request("out.gguf")))))
    #expect(
      preview.refusals.map(\.layer)
        == (0..<TinyModel.blocks).map { "model.layers.\($0).self_attn.q_proj" })
    #expect(preview.refusals.allSatisfy { $0.nearest?.quantization?.block == .q4_0 })
    #expect(preview.files.isEmpty)
    driver.send(.export(Self.job, request("out.gguf")))
    driver.run()
    guard case .failed(let reason) = outcome(of: driver) else {
      Issue.record("the export did not fail")
      return
    }
    #expect(reason.contains("q_proj") && reason.contains("1 layers more"))
    #expect(!exists("out.gguf") && !exists("out.gguf.partial"))
  }

  @Test func pathsThatAreTakenAreRefusedBeforeAnyWork() throws {
    let driver = makeDriver()
    _ = try model.write("keep me", to: "taken.gguf")
    let found = try #require(answer(in: driver.send(.previewExport(request("taken.gguf")))))
    #expect(found.obstacle?.contains("exists already") == true)
    #expect(found.bytes > 0)
    driver.send(.export(Self.job, request("taken.gguf")))
    driver.run()
    #expect(try contents(of: "taken.gguf") == Data("keep me".utf8))
    driver.send(.export(Self.job, request("taken.gguf", replaces: true)))
    driver.run()
    #expect(try contents(of: "taken.gguf").count == found.bytes)
    let itself = ExportRequest(
      format: .compressedTensors, target: .transformers, path: model.path, replaces: true)
    let kept = Driver(model, Self.streaming)
    let refused = answer(in: kept.send(.previewExport(itself)))
    #expect(refused?.obstacle?.isEmpty == false)
  }

  @Test func formatAndTargetMustMatch() throws {
    let driver = Driver(model, Self.streaming)
    var request = request("out")
    request.target = .vllm
    let found = try #require(answer(in: driver.send(.previewExport(request))))
    #expect(found.obstacle?.contains("does not load gguf") == true)
  }

  @Test func withoutModelNothingIsExported() {
    let driver = Driver()
    #expect(answer(in: driver.send(.previewExport(request("out.gguf"))))?.obstacle != nil)
    driver.send(.export(Self.job, request("out.gguf")))
    guard case .failed = outcome(of: driver) else {
      Issue.record("the export did not fail")
      return
    }
  }

  @Test func progressCountsBytes() throws {
    let driver = makeDriver()
    driver.send(.export(Self.job, request("out.gguf")))
    driver.run()
    let size = try contents(of: "out.gguf").count
    let found = driver.events.compactMap { event -> JobProgress? in
      if case .jobProgress(Self.job, let progress) = event { progress } else { nil }
    }
    #expect(!found.isEmpty)
    #expect(found.allSatisfy { $0.total == size && $0.completed <= size })
    #expect(found.map(\.completed) == found.map(\.completed).sorted())
  }
}
