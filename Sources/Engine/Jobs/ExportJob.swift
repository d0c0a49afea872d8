import Checkpoints
import Compression
import Export
import Tensors

/// Writes the model under the current plan, layer by layer, to where a target loads it from.
///
/// Layers are the running model's own where they are at hand. Others are awaited if the compression brings them, or
/// else compressed, written and let go, so that no more than one is in memory. What is complete outlives an
/// interruption: the same export goes on from there.
struct ExportJob: Job {
  /// Bytes that one step writes.
  private static let sliceLength = 8 << 20

  /// What a step works on, in this order of preference.
  private enum Task {
    case check(Int)
    case slice(PendingLayer)
    case round
    case layer(Int, Origin)
    case others
    case finish
  }

  /// Where a layer comes from.
  private enum Origin {
    case atHand, compressed, lost
  }

  /// A layer on its way into the files.
  private struct PendingLayer {
    let number: Int
    let tensors: [EncodedTensor]
    var index = 0
    /// Bytes of the tensor at `index` that are written.
    var position = 0
  }

  /// What is known once the plan can be carried out.
  private struct Work {
    let encoding: any ModelEncoding
    let preview: ExportPreview
    /// What each layer becomes.
    let keys: [LayerCache.Key]
    var writer: ExportWriter
    /// A hash of the whole checkpoint; nil where layers depend on their own weights alone.
    let contents: String?
    /// Layers that an interrupted export claims to have written.
    var claimed: [Int]
    /// Layers that are not written, in the model's order.
    var remaining: [Int]
    /// Tensors of no layer that are not written.
    var others: [String]
    /// Norms as folding left them; nil until the first of those tensors is written.
    var norms: [String: [Float]]?
    /// Layers that are rounded and written at once; nil until those are known that need not be.
    var rounding: LayerRounding?
    var pending: PendingLayer?
    var compression: CompressionWork?
    var meter: ProgressMeter
  }

  let id: JobID
  private let request: ExportRequest
  /// Whether layers that need no sweep are compressed here although the plan asks for them, and nothing is kept.
  private let streams: Bool
  private var work: Work?
  /// What is to be known of the whole checkpoint before work begins.
  private var reading: ContentReading?

  init(id: JobID, request: ExportRequest, streams: Bool) {
    self.id = id
    self.request = request
    self.streams = streams
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    guard let work else { return workspace.plan.needsCalibration ? nil : .live }
    return nextTask(of: work, in: workspace) == nil ? nil : .live
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    guard var work = self.work else {
      if let change = workspace.checkpoint.change { throw JobFailure(change) }
      if workspace.exportsDependOnAll {
        var reading = self.reading ?? workspace.checkpoint.contentReading()
        let contents = reading.step()
        self.reading = reading
        if let contents { self.work = try begin(in: &workspace, contents: contents) }
      } else {
        self.work = try begin(in: &workspace, contents: nil)
      }
      return .unfinished
    }
    let task = nextTask(of: work, in: workspace)
    // Held in one place only while it works, so that nothing of it is copied.
    self.work = nil
    switch task {
    case nil: break
    case .check(let number): try check(number, &work, workspace)
    case .slice(let pending): try write(pending, &work, workspace)
    case .round: try round(&work, in: &workspace)
    case .layer(let number, let origin): try take(number, from: origin, &work, in: &workspace)
    case .others: try writeOthers(&work, in: &workspace)
    case .finish:
      if let change = workspace.checkpoint.change { throw JobFailure(change) }
      var preview = work.preview
      if let note = work.writer.leftoverNote { preview.notes.append(note) }
      do { try work.writer.finish() } catch { throw failure(error) }
      workspace.emit(.exported(id, preview))
      return .finished
    }
    sayHowFar(&work, in: workspace)
    self.work = work
    return .unfinished
  }

  private func nextTask(of work: Work, in workspace: Workspace) -> Task? {
    if let number = work.claimed.last { return .check(number) }
    if work.rounding?.isFinished != true { return .round }
    if let pending = work.pending { return .slice(pending) }
    if let compression = work.compression { return .layer(compression.key.layer, .compressed) }
    // Norms take back the scales of layers that need not be written again, where an export is resumed.
    let scaled = work.keys.filter { $0.scheme.usesAWQ && !workspace.isAtHand($0) }.map(\.layer)
    let waiting = work.remaining.isEmpty ? scaled : work.remaining
    if waiting.isEmpty { return work.others.isEmpty ? .finish : .others }
    var other: Task?
    for number in waiting {
      switch origin(of: work.keys[number], in: workspace) {
      case .atHand: return .layer(number, .atHand)
      case nil: break
      case .some(let origin): other = other ?? .layer(number, origin)
      }
    }
    return other
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
}

/// The steps.
extension ExportJob {
  /// Checks everything that can be checked before any layer is touched, and opens the files.
  private func begin(
    in workspace: inout Workspace, contents: String?
  ) throws(JobFailure) -> Work {
    let (preview, prepared) = workspace.prepared(request)
    if let obstacle = preview.obstacle { throw JobFailure(sentence: obstacle) }
    let purpose = workspace.exportPurpose(for: request, contents: contents)
    let encoding: any ModelEncoding
    let writer: ExportWriter
    do throws(ExportError) {
      guard preview.refusals.isEmpty else {
        throw .refused(request.target, preview.refusals)
      }
      if let prepared {
        encoding = prepared
      } else {
        encoding = try workspace.exportEncoding(for: request)
      }
      writer = try ExportWriter(
        encoding.layout, to: request.path, as: request.form, replaces: request.replaces,
        purpose: purpose)
    } catch {
      throw JobFailure(error)
    }
    let remaining = Array(workspace.shapes.indices)
    let weights = remaining.reduce(0) { $0 + Double(workspace.weights(of: $1)) }
    return Work(
      encoding: encoding, preview: preview, keys: workspace.plan.keys, writer: writer,
      contents: contents,
      claimed: remaining.filter { writer.canAdopt(workspace.shapes[$0].name) }.reversed(),
      remaining: remaining, others: encoding.otherNames.reversed(),
      meter: ProgressMeter(workLeft: weights, now: workspace.now()))
  }

  /// Takes on a layer that an interrupted export wrote, if that is what would be written now.
  private func check(
    _ number: Int, _ work: inout Work, _ workspace: Workspace
  ) throws(JobFailure) {
    work.claimed.removeLast()
    let name = workspace.shapes[number].name
    do throws(ExportError) {
      let isWritten = try work.writer.adopt(
        name, tensors: work.encoding.tensorNames(ofLayer: name),
        source: source(of: name, work, workspace))
      if isWritten { work.remaining.removeAll { $0 == number } }
    } catch {
      throw failure(error)
    }
  }

  /// Rounds layers that need nothing but their own weights, and writes them, for a while.
  ///
  /// Those that turn out to be damaged are left to be compressed one by one, which says what is wrong.
  private func round(
    _ work: inout Work, in workspace: inout Workspace
  ) throws(JobFailure) {
    var rounding = work.rounding ?? LayerRounding([], of: workspace.checkpoint)
    if work.rounding == nil { rounding = try begunRounding(work, in: workspace) }
    work.rounding = nil
    do throws(ExportError) {
      let complete = try rounding.step(
        into: &work.writer, pool: workspace.models.sharedPool(), for: stepLength)
      let names = Set(complete)
      work.remaining.removeAll { names.contains(workspace.shapes[$0].name) }
    } catch {
      throw failure(error)
    }
    work.rounding = rounding
  }

  private func begunRounding(
    _ work: Work, in workspace: Workspace
  ) throws(JobFailure) -> LayerRounding {
    var layers: [RoundedLayer] = []
    for number in work.remaining {
      let key = work.keys[number]
      guard case .compressed? = origin(of: key, in: workspace),
        let rounding = RowRounding(
          key.scheme, of: try workspace.matrix(of: number), shape: workspace.shapes[number]),
        let layer = work.encoding.rounded(rounding)
      else { continue }
      layers.append(layer)
    }
    return LayerRounding(layers, of: workspace.checkpoint)
  }

  /// A hash of what a layer is made from, beside the export's purpose.
  private func source(of layer: String, _ work: Work, _ workspace: Workspace) -> String {
    workspace.checkpoint.contentDigest(ofLayer: layer) ?? work.contents ?? ""
  }

  /// Encodes a layer that is at hand, or works on compressing it.
  private func take(
    _ number: Int, from origin: Origin, _ work: inout Work, in workspace: inout Workspace
  ) throws(JobFailure) {
    let key = work.keys[number]
    let shape = workspace.shapes[number]
    var layer: CompressedLayer?
    switch origin {
    case .lost:
      throw JobFailure(
        sentence: "\(shape.name): the plan or its calibration was changed while it was exported; "
          + "export again")
    case .atHand: layer = try workspace.compressedLayer(for: key)
    case .compressed:
      var compression = work.compression ?? CompressionWork(key)
      work.compression = nil
      let result = try compression.step(in: &workspace)
      layer = result.map { CompressedLayer(shape: shape, scheme: key.scheme, weights: $0.weights) }
      if result == nil { work.compression = compression }
    }
    guard let layer else { return }
    try checkKept(layer, in: workspace)
    do {
      work.pending = PendingLayer(number: number, tensors: try work.encoding.tensors(of: layer))
    } catch {
      throw failure(error)
    }
    if streams { try workspace.matrix(of: number).releasePages() }
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

  /// Writes the next slice of a layer, and notes when it is complete.
  private func write(
    _ pending: PendingLayer, _ work: inout Work, _ workspace: Workspace
  ) throws(JobFailure) {
    var pending = pending
    work.pending = nil
    do throws(ExportError) {
      var left = Self.sliceLength
      while pending.index < pending.tensors.count, left > 0 {
        let tensor = pending.tensors[pending.index]
        let end = try work.writer.write(tensor, from: pending.position, limit: left)
        left -= end - pending.position
        pending.position = end
        if end == tensor.bytes.count { (pending.index, pending.position) = (pending.index + 1, 0) }
      }
      guard pending.index == pending.tensors.count else {
        work.pending = pending
        return
      }
      let name = workspace.shapes[pending.number].name
      try work.writer.complete(
        name, tensors: pending.tensors.map(\.name), source: source(of: name, work, workspace))
    } catch {
      throw failure(error)
    }
    work.remaining.removeAll { $0 == pending.number }
  }

  /// Writes tensors of no layer: a large one, or small ones for a while.
  private func writeOthers(
    _ work: inout Work, in workspace: inout Workspace
  ) throws(JobFailure) {
    let norms = work.norms ?? workspace.foldedNorms(for: work.keys)
    work.norms = norms
    var left = Self.sliceLength
    do throws(ExportError) {
      while left > 0, let name = work.others.popLast() {
        let tensor = try work.encoding.other(name, norms: norms)
        _ = try work.writer.write(tensor)
        left -= max(tensor.bytes.count, 1 << 12)
      }
    } catch {
      throw failure(error)
    }
  }

  /// What went wrong, and what is left of what was written.
  private func failure(_ error: ExportError) -> JobFailure {
    JobFailure(
      sentence: "\(error); \(ExportWriter.partialPath(for: request.path)) keeps what is complete, "
        + "and the same export goes on from there")
  }

  private func sayHowFar(_ work: inout Work, in workspace: Workspace) {
    let begun = work.compression.map { $0.progress * Double(workspace.weights(of: $0.key.layer)) }
    let left = work.remaining.reduce(0) { $0 + Double(workspace.weights(of: $1)) }
    let progress = work.meter.report(
      completed: work.writer.writtenBytes, of: work.preview.bytes, workLeft: left - (begun ?? 0),
      now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
  }
}
