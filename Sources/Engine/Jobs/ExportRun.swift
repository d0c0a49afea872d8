import Checkpoints
import Compression
import Export
import Tensors
import Work

/// An export under way: its files, and what is still to be written into them.
struct ExportRun {
  /// Bytes that are written between two ticks.
  private static let sliceLength = 8 << 20
  /// Time that layers are rounded for between two ticks.
  private static let roundingTime = Duration.milliseconds(15)

  /// What each layer becomes.
  let keys: [LayerCache.Key]
  /// Layers that are not written, in the model's order.
  private(set) var remaining: [LayerCache.Key]
  var meter: ProgressMeter
  private let encoding: any ModelEncoding
  private var preview: ExportPreview
  private var writer: ExportWriter
  /// A hash of the whole checkpoint; nil where layers depend on their own weights alone.
  private let contents: String?
  private let workspace: Workspace
  /// Tensors of no layer that are not written, the next one last.
  private var others: [String]

  init(
    encoding: any ModelEncoding, preview: ExportPreview, writer: consuming ExportWriter,
    contents: String?, in workspace: Workspace
  ) {
    self.encoding = encoding
    self.preview = preview
    self.writer = writer
    self.contents = contents
    self.workspace = workspace
    keys = workspace.plan.keys
    remaining = keys
    others = encoding.otherNames.reversed()
    let weights = keys.reduce(0) { $0 + Double(workspace.weights(of: $1.layer)) }
    meter = ProgressMeter(workLeft: weights, now: workspace.now())
  }

  var writtenBytes: Int { writer.writtenBytes }
  /// The files, and where each lies before it is put in its place.
  var files: [(name: String, path: String)] {
    preview.files.map { ($0.name, writer.path(of: $0.name)) }
  }
  /// The directory that becomes the export's.
  var folder: String { writer.root }
  var bytes: Int { preview.bytes }
  var weightsLeft: Double {
    remaining.reduce(0) { $0 + Double(workspace.weights(of: $1.layer)) }
  }

  /// Says how far the export has come, and lets others have their turn.
  mutating func tick(_ turn: Turn) throws(JobFailure) {
    turn.report(by: &meter, completed: writtenBytes, of: bytes, left: weightsLeft)
    try turn.tick()
  }

  /// Layers that an interrupted export claims to have written.
  var claimedLayers: [LayerCache.Key] {
    remaining.filter { writer.canAdopt(workspace.shapes[$0.layer].name) }
  }

  /// Takes on a layer that an interrupted export wrote, if that is what would be written now.
  mutating func adopt(_ key: LayerCache.Key) throws(JobFailure) {
    let name = workspace.shapes[key.layer].name
    do throws(ExportError) {
      let isWritten = try writer.adopt(
        name, tensors: encoding.tensorNames(ofLayer: name), source: source(of: name))
      if isWritten { remaining.removeAll { $0 == key } }
    } catch {
      throw failure(error)
    }
  }

  /// Prepares to round those of some layers that need nothing but their own weights.
  func rounding(of keys: [LayerCache.Key]) throws(JobFailure) -> LayerRounding {
    var layers: [RoundedLayer] = []
    for key in keys {
      let rounding = RowRounding(
        key.scheme, of: try workspace.matrix(of: key.layer), shape: workspace.shapes[key.layer])
      if let layer = rounding.flatMap(encoding.rounded) { layers.append(layer) }
    }
    return LayerRounding(layers, of: workspace.checkpoint)
  }

  /// Rounds and writes layers for a while.
  mutating func step(
    _ rounding: inout LayerRounding, on pool: WorkerPool
  ) throws(JobFailure) {
    do {
      let complete = try rounding.step(into: &writer, pool: pool, for: Self.roundingTime)
      let numbers = Set(complete.compactMap(workspace.number))
      remaining.removeAll { numbers.contains($0.layer) }
    } catch {
      throw failure(error)
    }
  }

  /// Writes a layer slice by slice, and notes when it is complete.
  mutating func write(_ layer: CompressedLayer, _ turn: Turn) throws(JobFailure) {
    let name = layer.shape.name
    let tensors: [EncodedTensor]
    do { tensors = try encoding.tensors(of: layer) } catch { throw failure(error) }
    try tick(turn)
    var left = Self.sliceLength
    for tensor in tensors {
      var position = 0
      while position < tensor.bytes.count {
        do {
          let end = try writer.write(tensor, from: position, limit: left)
          left -= end - position
          position = end
        } catch {
          throw failure(error)
        }
        guard left <= 0 else { continue }
        try tick(turn)
        left = Self.sliceLength
      }
    }
    do {
      try writer.complete(name, tensors: tensors.map(\.name), source: source(of: name))
    } catch {
      throw failure(error)
    }
    let number = workspace.number(of: name)
    remaining.removeAll { $0.layer == number }
  }

  /// Writes a large tensor of no layer, or small ones for a while.
  ///
  /// - Parameter norms: as folding left them.
  /// - Returns: whether there are more.
  /// - Throws: ``JobFailure`` that says what is left of the export.
  mutating func writeOthers(norms: [String: [Float]]) throws(JobFailure) -> Bool {
    var left = Self.sliceLength
    do throws(ExportError) {
      while left > 0, let name = others.popLast() {
        let tensor = try encoding.other(name, norms: norms)
        _ = try writer.write(tensor)
        left -= max(tensor.bytes.count, 1 << 12)
      }
    } catch {
      throw failure(error)
    }
    return !others.isEmpty
  }

  /// Puts the files in their place.
  mutating func finish() throws(JobFailure) -> ExportPreview {
    if let note = writer.leftoverNote { preview.notes.append(note) }
    do { try writer.finish() } catch { throw failure(error) }
    return preview
  }

  /// A hash of what a layer is made from, beside the export's purpose.
  private func source(of layer: String) -> String {
    workspace.checkpoint.contentDigest(ofLayer: layer) ?? contents ?? ""
  }

  /// What went wrong, and what is left of what was written.
  private func failure(_ error: ExportError) -> JobFailure {
    JobFailure(
      sentence:
        "\(error); \(ExportWriter.partialPath(for: preview.request.path)) keeps what is complete, "
        + "and the same export goes on from there")
  }
}
