import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Inference
import Tensors
import TestSupport
import Testing

@testable import Workbench

/// Planning for a target: what is said before an export is what is written.
@Suite struct TargetPlanningTests {
  private static let models = [
    "Tests/CheckpointsTests/Fixtures/tiny", "Tests/CheckpointsTests/Fixtures/tiny-sharded",
    "Tests/CheckpointsTests/Fixtures/tiny.gguf",
  ].map(Repository.path)

  /// Bytes of a file, or of all files below a folder.
  private static func bytes(at path: String) throws -> Int {
    let files = FileManager.default
    let below = files.subpaths(atPath: path).map { $0.map { "\(path)/\($0)" } } ?? []
    return try ([path] + below).reduce(0) { sum, file in
      let attributes = try files.attributesOfItem(atPath: file)
      let isFile = attributes[.type] as? FileAttributeType == .typeRegular
      return sum + (isFile ? attributes[.size] as? Int ?? 0 : 0)
    }
  }

  /// A plan of random schemes, with the nearest that fit in place of those that do not.
  private static func randomPlan(_ live: inout LiveApp, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    guard let model = live.app.state.model else { return }
    let schemes = model.shapes.map { shape in
      var scheme = Scheme.random(for: shape, using: &random, blocksOnly: false)
      while scheme.calibrationNeed != .nothing {
        scheme = Scheme.random(for: shape, using: &random, blocksOnly: false)
      }
      return scheme
    }
    let plan = model.plan(live.app.state.history.current, of: schemes)
    live.act { app in
      app.handle(.file(.planRead(path: "random", plan)))
      app.command("nearest")
    }
  }

  @Test(arguments: models, ExportTarget.allCases)
  func whatIsSaidIsWritten(path: String, target: ExportTarget) throws {
    let folder = try TemporaryFolder()
    for seed in 1...3 as ClosedRange<UInt64> {
      var live = LiveApp(opening: path)
      live.act { $0.command("target \(target.rawValue)") }
      Self.randomPlan(&live, seed: seed)
      let forecast = try #require(live.app.state.model?.forecast)
      #expect(forecast.isExact, "\(forecast.refusals)")
      let output = "\(folder.path)/\(seed)"
      live.tell(
        .export(
          JobID(1), ExportRequest(format: target.format, target: target, path: output)))
      live.work()
      #expect(try Self.bytes(at: output) == live.app.state.model?.total.bytes, "seed \(seed)")
    }
  }

  /// Layers are as large as their tensors, which leaves the headers and what is copied.
  @Test(arguments: models)
  func layersAreTheirTensors(path: String) throws {
    let checkpoint = try Checkpoint.open(path)
    let shapes = checkpoint.description.layerShapes
    for target in ExportTarget.allCases {
      let outline = try ExportOutline(of: checkpoint, for: target)
      var random = SeededRandom(seed: 5)
      let schemes = outline.nearest(
        to: shapes.map { Scheme.random(for: $0, using: &random, blocksOnly: false) })
      let model = ExportModel(checkpoint: checkpoint, schemes: schemes)
      let layout =
        target == .llamaCpp
        ? try GGUFEncoding(model: model).layout
        : try CompressedTensorsEncoding(model: model, target: target).layout
      let forecast = outline.forecast(of: schemes)
      #expect(forecast.total == layout.byteCount)
      let slots = layout.files.flatMap(\.tensors)
      guard target != .llamaCpp else {
        let sizes = slots.map(\.byteCount)
        #expect(forecast.layers.allSatisfy { sizes.contains($0.total) })
        continue
      }
      for (shape, size) in zip(shapes, forecast.layers) {
        let own = slots.filter { $0.name.hasPrefix("\(shape.name).") }
        #expect(own.reduce(0) { $0 + $1.byteCount } == size.total, "\(target) \(shape.name)")
      }
    }
  }

  @Test func shardsAndTheirIndexCount() throws {
    let checkpoint = try Checkpoint.open(Self.models[0])
    let schemes = checkpoint.description.layers.map { _ in Scheme.keep }
    let outline = try ExportOutline(of: checkpoint, for: .vllm, shardBytes: 12_000)
    let encoding = try CompressedTensorsEncoding(
      model: ExportModel(checkpoint: checkpoint, schemes: schemes), target: .vllm,
      shardBytes: 12_000)
    #expect(encoding.layout.files.count > 3)
    #expect(outline.forecast(of: schemes).total == encoding.layout.byteCount)
  }

  /// Kept layers that are codes already stay codes, and what cannot read those says so.
  @Test func keptCodesAreWhatTheyAre() throws {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/packed"
    var live = LiveApp(opening: Self.models[0])
    live.act { app in
      app.command("filter proj")
      app.press("a", "4")
      app.command("group 32")
      app.command("target vllm")
    }
    live.tell(
      .export(
        JobID(1), ExportRequest(format: .compressedTensors, target: .vllm, path: output)))
    live.work()
    var again = LiveApp(opening: output)
    again.act { $0.command("target vllm") }
    // Nothing is changed, and so nothing grows but what the configuration says of it.
    let first = try #require(live.app.state.model)
    let second = try #require(again.app.state.model)
    #expect(second.forecast?.layers.map(\.total) == first.forecast?.layers.map(\.total))
    #expect(second.forecast?.isExact == true)
    again.act { $0.command("target llama.cpp") }
    let refusals = try #require(again.app.state.model?.forecast).refusals
    #expect(refusals.count == second.layers.count - 1)
    #expect(refusals.values.allSatisfy { $0.reason.contains("codes that llama.cpp does not read") })
    again.act { $0.command("nearest") }
    #expect(again.app.state.model?.forecast?.isExact == true)
    let gguf = "\(folder.path)/again.gguf"
    again.tell(.export(JobID(2), ExportRequest(format: .gguf, target: .llamaCpp, path: gguf)))
    again.work()
    #expect(try Self.bytes(at: gguf) == again.app.state.model?.total.bytes)
  }

  // MARK: On the screen

  @Test func misfitsAreMarkedAndExplained() throws {
    var live = LiveApp(opening: Self.models[0])
    live.act { app in
      app.command("filter proj")
      app.press("a", "3", "Esc", "Esc")
      app.command("target vllm-cpu")
    }
    let count = try #require(live.app.state.model?.forecast).refusals.count
    #expect(count == live.app.state.model.map { $0.layers.count - 1 })
    #expect(live.app.row("plan", "for vllm-cpu", "!\(count)") != "")
    #expect(live.app.row("! \(count) layers do not fit") != "")
    #expect(live.app.row("block 0", "!7") != "")
    #expect(live.app.row("! q_proj", "~") != "")
    live.app.press("g", "g", "j", "j")
    #expect(live.app.screen.contains("! vllm-cpu: vLLM on a CPU has kernels"))
    #expect(live.app.row("F nearest 4 bit") != "")
    try expectGolden(live.app.screen, "target-120x36")
    live.app.resize(80, 24)
    try expectGolden(live.app.screen, "target-80x24")
    live.act { $0.press("F") }
    #expect(live.app.state.model?.forecast?.isExact == true)
    #expect(live.app.scheme("0.mlp.up_proj")?.quantization?.bits == 4)
    #expect(!live.app.screen.contains("do not fit"))
    live.act { $0.press("u") }
    #expect(live.app.state.model?.forecast?.refusals.count == count)
  }

  @Test func onlyMarkedLayersChange() throws {
    var live = LiveApp(opening: Self.models[0])
    live.act { app in
      app.command("target vllm-cpu")
      app.command("filter proj")
      app.press("a", "3", "A")
    }
    live.act { app in
      app.command("filter down_proj")
      app.press("a", "F")
    }
    #expect(live.app.scheme("0.mlp.down_proj")?.quantization?.bits == 4)
    #expect(live.app.scheme("0.mlp.up_proj")?.quantization?.bits == 3)
  }

  @Test func targetsAreNamedCompletedAndForgotten() throws {
    var app = App()
    app.command("target nobody")
    #expect(
      app.state.line?.flaw?.contains("there are transformers, vllm, vllm-cpu, llama.cpp") == true)
    app.press("Esc")
    app.press(":")
    app.type("target ll")
    #expect(app.screen.contains("llama.cpp, loads gguf"))
    app.press("Tab", "Enter")
    #expect(app.state.target == .llamaCpp)
    #expect(app.commands.last == .outlineExport(.llamaCpp))
    app.clearEffects()
    // Another model is planned for the same target.
    app.send(.opened(.synthetic(name: "Other")))
    #expect(app.commands.contains(.outlineExport(.llamaCpp)))
    app.command("target none")
    #expect(app.state.target == nil)
    app.send(.exportOutlineRefused(.llamaCpp, reason: "too late"))
    #expect(!app.screen.contains("too late"))
  }

  @Test func lookingThroughTheOverlayChoosesNoTarget() {
    var app = App()
    app.press("e", "l")
    #expect(app.state.export.choice.target == .vllm)
    #expect(app.state.target == nil)
    app.press("Esc")
    app.command("target llama.cpp")
    app.press("e", "l", "Esc")
    #expect(app.state.target == .llamaCpp)
  }

  @Test func theTargetIsSavedWithThePlan() throws {
    var app = App()
    app.command("target llama.cpp")
    app.press("4")
    app.command("write a.yaml")
    let written = app.effects.compactMap { effect in
      if case .writePlan(let plan, _, _) = effect { plan } else { nil }
    }
    let plan = try #require(written.last)
    #expect(plan.target == "llama.cpp")
    app.handle(.file(.planWritten(path: "a.yaml", plan)))
    #expect(app.state.history.isSaved)
    app.command("target none")
    app.handle(.file(.planRead(path: "a.yaml", plan)))
    #expect(app.state.target == .llamaCpp)
  }

  @Test func budgetsAreSolvedForTheTarget() {
    var app = App()
    app.measure()
    app.press("F3")
    app.command("target vllm")
    #expect(app.lastSettings?.target == .vllm)
    app.command("target none")
    #expect(app.lastSettings?.target == nil)
  }

  /// What is measured under a target is what it can hold.
  @Test func candidatesSuitTheTarget() {
    func measured(_ app: inout App) -> [Scheme] {
      app.clearEffects()
      app.command("sensitivity text.txt")
      for case .measureSensitivity(_, let request) in app.commands { return request.candidates }
      return []
    }
    for target in ExportTarget.allCases {
      var app = App()
      app.command("target \(target.rawValue)")
      let candidates = measured(&app)
      #expect(candidates.count > 2)
      #expect(candidates.allSatisfy { TargetLimits.of(target).has($0) }, "\(target)")
    }
    // Integers were measured, of which llama.cpp has none.
    var app = App()
    app.measure()
    app.press("F3")
    app.command("target llama.cpp")
    app.send(.frontier(Frontier(curve: [], marks: [])))
    #expect(app.screen.contains("llama.cpp can hold none of the schemes"))
    #expect(measured(&app).contains { $0.quantization?.block == .q4_K })
  }
}
