import Allocation
import Checkpoints
import Compression
import Export
import Inference
import Work

/// Packs what a cluster needs to carry the plan out, or to measure sensitivity: programs, and the tokens that they read.
struct PackJob: Job {
  let id: JobID
  private let request: JobPackRequest

  func urgency(in workspace: Workspace) -> Urgency { .live }

  /// - Throws: ``JobFailure`` for schemes that are not tried on a cluster.
  init(id: JobID, request: JobPackRequest) throws(JobFailure) {
    (self.id, self.request) = (id, request)
    guard case .sensitivity(let schemes) = request.purpose else { return }
    if let flaw = schemes.lazy.compactMap(LayerList.flaw).first { throw JobFailure(sentence: flaw) }
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    var files: [JobPackage.File] = []
    var (plan, bytes) = ("", 0)
    switch request.purpose {
    case .compression(let target):
      guard target.format == .compressedTensors else {
        throw JobFailure(
          sentence: "a cluster carries plans out with llm-compressor, for vllm or transformers; "
            + "llama.cpp's files are written by `vise export`")
      }
      let recipe: (layout: ExportLayout, needsText: Bool)
      do throws(ExportError) {
        recipe = try workspace.clusterRecipe(for: target)
        bytes = try workspace.outline(for: target).forecast(of: workspace.exportedSchemes).total
      } catch {
        throw JobFailure(error)
      }
      files = recipe.layout.files.map(JobPackage.File.init)
      plan = files.first { $0.name == "plan.yaml" }?.text ?? ""
      if recipe.needsText { files.append(try calibration(turn).file) }
      if let path = request.evaluationPath {
        let windows = try windows(
          of: path,
          tokens: workspace.tokens(
            ofWindows: request.evaluationWindows, of: request.window), turn)
        files.append(
          JobPackage.File(name: "evaluation.json", text: TokenFile.text(windows, of: path)))
      }
    case .sensitivity(let schemes):
      let text = try calibration(turn)
      let model = workspace.description
      let list = LayerList(
        of: model, schemes: schemes,
        origin: LayerList.Origin(
          model: model.name, fingerprint: model.fingerprint, text: text.path,
          version: EngineSettings.version), version: Sensitivity.formatVersion)
      files = RecipeFiles.sensitivity(list).files.map(JobPackage.File.init)
      files.append(text.file)
    }
    let model = workspace.wholeDescription
    var packed = PackedJob(
      request: request, files: files, model: model.name, fingerprint: model.fingerprint, plan: plan)
    packed.bytes = bytes
    packed.bitsPerWeight = 8 * Double(bytes) / Double(max(model.parameterCount, 1))
    workspace.emit(.jobPacked(id, packed))
  }

  /// What methods calibrate on, as a file of windows.
  private func calibration(_ turn: Turn) throws(JobFailure) -> (file: JobPackage.File, path: String)
  {
    guard let path = request.calibrationPath ?? turn.workspace.defaultText else {
      throw JobFailure(
        sentence: "the job needs a text to calibrate on, and none was found; name one with "
          + "--calibration FILE, or `C` in the workbench")
    }
    let windows = try windows(of: path, tokens: request.calibrationTokens, turn)
    return (
      JobPackage.File(name: "calibration.json", text: TokenFile.text(windows, of: path)), path
    )
  }

  private func windows(
    of path: String, tokens limit: Int?, _ turn: Turn
  ) throws(JobFailure) -> [[Int]] {
    let tokens = try turn.workspace.tokens(ofText: path, limit: limit, turn)
    return try turn.workspace.windows(
      of: tokens, from: path, length: request.window, tokenLimit: limit
    ).all
  }
}

extension JobPackage.File {
  /// A text of a recipe.
  fileprivate init(_ file: FileLayout) {
    self.init(name: file.name, text: String(decoding: file.header, as: UTF8.self))
  }
}
