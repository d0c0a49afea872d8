import Checkpoints
import Compression
import Export
import Inference
import Procedures
import Tensors
import Work

/// Writes the model under the current plan, layer by layer, to where a target loads it from.
///
/// Layers are the running model's own where they are at hand. Others are awaited if the compression brings them, or
/// else compressed, written and let go, so that no more than one is in memory. What is complete outlives an
/// interruption: the same export goes on from there.
struct ExportJob: Job {
  let id: JobID
  let request: ExportRequest
  /// Whether layers that need no sweep are compressed here although the plan asks for them, and nothing is kept.
  let streams: Bool

  var lane: Lane { .export }
  func urgency(in workspace: Workspace) -> Urgency { .live }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    try turn.wait { !workspace.plan.needsCalibration }
    try checkUnchanged(workspace)
    let contents = workspace.exportsDependOnAll ? try contents(turn) : nil
    var export = try begun(in: workspace, contents: contents)
    for layer in export.claimedLayers {
      try export.adopt(layer)
      try export.tick(turn)
    }
    try roundLayers(of: &export, turn)
    try writeLayers(of: &export, turn)
    try writeOthers(of: &export, turn)
    try checkUnchanged(workspace)
    let receipt = request.writesReceipt ? try receipt(of: export, turn) : nil
    do throws(ExportError) {
      // A directory appears with its receipt.
      if request.form == .directory { try receipt?.write(besideExport: export.folder) }
    } catch {
      throw JobFailure(error)
    }
    let written = try export.finish()
    do throws(ExportError) {
      if request.form == .file { try receipt?.write(besideExport: request.path) }
    } catch {
      throw JobFailure(error)
    }
    workspace.emit(.exported(id, written))
  }

  /// Hashes what was written, and tells what it was made from.
  private func receipt(of export: ExportRun, _ turn: Turn) throws(JobFailure) -> Receipt {
    let workspace = turn.workspace
    func hashed(_ path: String, as name: String) throws(JobFailure) -> Receipt.File {
      var hashing: FileHashing
      do { hashing = try FileHashing(path, as: name) } catch { throw JobFailure(error) }
      while true {
        let file: Receipt.File?
        do { file = try hashing.step() } catch { throw JobFailure(error) }
        if let file { return file }
        try turn.tick()
      }
    }
    var files: [Receipt.File] = []
    for file in export.files { files.append(try hashed(file.path, as: file.name)) }
    var calibration: Receipt.Calibration?
    let isFitted = workspace.exportedSchemes.contains { $0.calibrationNeed > .nothing }
    if isFitted, let known = workspace.calibration {
      calibration = Receipt.Calibration(
        text: try hashed(known.textPath, as: known.textPath),
        tokens: known.windows.count * known.windows.length, window: known.windows.length)
    }
    let model = workspace.wholeDescription
    return Receipt(
      version: EngineSettings.version, format: request.format, target: request.target,
      source: Receipt.Source(
        path: model.path, fingerprint: model.fingerprint, bytes: model.tensorBytes),
      plan: workspace.namedPlan.yaml(), calibration: calibration, files: files)
  }

  private func checkUnchanged(_ workspace: Workspace) throws(JobFailure) {
    if let change = workspace.checkpoint.change { throw JobFailure(change) }
  }

  /// What is to be known of the whole checkpoint before work begins.
  private func contents(_ turn: Turn) throws(JobFailure) -> String {
    var reading = turn.workspace.checkpoint.contentReading()
    while true {
      if let contents = reading.step() { return contents }
      try turn.tick()
      try checkUnchanged(turn.workspace)
    }
  }

  /// Checks everything that can be checked before any layer is touched, and opens the files.
  private func begun(
    in workspace: Workspace, contents: String?
  ) throws(JobFailure) -> ExportRun {
    let (preview, prepared) = workspace.prepared(request)
    if let obstacle = preview.obstacle { throw JobFailure(sentence: obstacle) }
    let purpose = workspace.exportPurpose(for: request, contents: contents)
    do throws(ExportError) {
      guard preview.refusals.isEmpty else {
        throw .refused(request.target, preview.refusals)
      }
      let encoding =
        if let prepared { prepared } else { try workspace.exportEncoding(for: request) }
      let writer = try ExportWriter(
        encoding.layout, to: request.path, as: request.form, replaces: request.replaces,
        purpose: purpose)
      return ExportRun(
        encoding: encoding, preview: preview, writer: writer, contents: contents, in: workspace)
    } catch {
      throw JobFailure(error)
    }
  }
}

/// The layers.
extension ExportJob {
  /// Where a layer comes from.
  private enum Origin {
    case atHand, compressed, lost
  }

  /// Rounds layers that need nothing but their own weights, and writes them, many at once.
  ///
  /// Those that turn out to be damaged are left to be compressed one by one, which says what is wrong.
  private func roundLayers(of export: inout ExportRun, _ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let pool = workspace.models.sharedPool()
    var rounding = try export.rounding(
      of: export.remaining.filter { origin(of: $0, in: workspace) == .compressed })
    while !rounding.isFinished {
      try export.step(&rounding, on: pool)
      try export.tick(turn)
    }
  }

  private func writeLayers(of export: inout ExportRun, _ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    while let (key, origin) = try next(of: export.remaining, turn) {
      let layer = try layer(key, from: origin, &export, turn)
      try export.write(layer, turn)
      if streams { try workspace.matrix(of: key.layer).releasePages() }
      try export.tick(turn)
    }
    // Norms take back the scales of layers that need not be written again, where an export is resumed.
    let scaled = export.keys.filter(\.scheme.usesAWQ)
    while let (key, origin) = try next(of: scaled.filter { !workspace.isAtHand($0) }, turn) {
      if origin == .lost { throw lost(key, in: workspace) }
    }
  }

  /// The layer to write next: one at hand, or else one that need not be awaited; nil when there are none.
  private func next(
    of keys: [LayerCache.Key], _ turn: Turn
  ) throws(JobFailure) -> (LayerCache.Key, Origin)? {
    let workspace = turn.workspace
    func first() -> (LayerCache.Key, Origin)? {
      var other: (LayerCache.Key, Origin)?
      for key in keys {
        guard let origin = origin(of: key, in: workspace) else { continue }
        if origin == .atHand { return (key, origin) }
        other = other ?? (key, origin)
      }
      return other
    }
    guard !keys.isEmpty else { return nil }
    try turn.wait { first() != nil }
    return first()
  }

  /// Where to take a layer from; nil for awaiting it.
  private func origin(of key: LayerCache.Key, in workspace: Workspace) -> Origin? {
    if workspace.isAtHand(key) { return .atHand }
    let need = workspace.need(of: key.scheme, for: key.layer)
    if workspace.isWanted(key), !streams || need == .gram { return nil }
    // Its inputs must still be what they were when the export began.
    let isKnown =
      need == .nothing || (need == .moments && key.context == workspace.calibration?.number)
    return isKnown ? .compressed : .lost
  }

  private func layer(
    _ key: LayerCache.Key, from origin: Origin, _ export: inout ExportRun, _ turn: Turn
  ) throws(JobFailure) -> CompressedLayer {
    let workspace = turn.workspace
    if origin == .atHand, let layer = try workspace.compressedLayer(for: key) {
      try checkKept(layer, in: workspace)
      return layer
    }
    guard origin == .compressed else { throw lost(key, in: workspace) }
    var meter = export.meter
    let (left, weights) = (export.weightsLeft, Double(workspace.weights(of: key.layer)))
    let (written, bytes) = (export.writtenBytes, export.bytes)
    let result = try workspace.compressed(
      key,
      pace: Pace { share throws(JobFailure) in
        turn.report(
          by: &meter, completed: written, of: bytes, left: left - share * weights)
        try turn.tick()
      })
    export.meter = meter
    return CompressedLayer(
      shape: workspace.shapes[key.layer], scheme: key.scheme, weights: result.weights)
  }

  private func lost(_ key: LayerCache.Key, in workspace: Workspace) -> JobFailure {
    JobFailure(
      sentence:
        "\(workspace.shapes[key.layer].name): the plan or its calibration was changed while it was exported; "
        + "export again")
  }

  /// Checks that a layer which is copied holds numbers; compressed ones were read, and their errors taken.
  ///
  /// - Throws: ``JobFailure``, having cleared away what was written: the same export can never be complete.
  private func checkKept(
    _ layer: CompressedLayer, in workspace: Workspace
  ) throws(JobFailure) {
    guard layer.scheme.keepsLayer else { return }
    do throws(CheckpointError) {
      try workspace.checkpoint.checkFinite(layer.shape.name)
    } catch {
      try? FileSystem.remove(ExportWriter.partialPath(for: request.path))
      throw JobFailure(error)
    }
  }

  /// Writes tensors of no layer: a large one, or small ones for a while, between two ticks.
  private func writeOthers(of export: inout ExportRun, _ turn: Turn) throws(JobFailure) {
    let norms = turn.workspace.foldedNorms(for: export.keys)
    while try export.writeOthers(norms: norms) { try export.tick(turn) }
  }
}
