import Allocation
import Checkpoints
import Compression
import Export
import Procedures
import Work

/// Reads how a quantized file of the open model stores its layers, and how far its weights are from the original's.
struct LayoutJob: Job {
  let id: JobID
  private let file: Checkpoint
  private let comparison: LayerComparison

  /// Length of a difference over that of the weights from which on most layers are another model's: rounding to 1 bit
  /// stays below.
  private static let foreignError = 0.9

  /// - Throws: ``JobFailure`` when the file cannot be opened, or is not of the same model.
  init(id: JobID, request: LayoutRequest, workspace: Workspace) throws(JobFailure) {
    self.id = id
    do { file = try Checkpoint.open(request.path) } catch { throw JobFailure(error) }
    guard file.description.layers.contains(where: { $0.scheme != nil }) else {
      throw JobFailure(
        sentence: "\(file.description.path) is not quantized: there is no layout to begin from")
    }
    comparison = try LayerComparison(of: file, with: workspace.checkpoint)
  }

  func run(_ turn: Turn) throws(JobFailure) {
    turn.otherCheckpoints = [file]
    let workspace = turn.workspace
    let fishers = Dictionary(
      (workspace.sensitivity?.layers ?? []).map { ($0.layer, $0.fisher) },
      uniquingKeysWith: { first, _ in first })
    let scaled = try comparison.differingVector()
    if let scaled {
      workspace.emit(
        .remarked(
          id,
          "the file's \(scaled) differs from the original's, as after AWQ: its weights are not compared"
        ))
    }
    let pace = turn.pace(of: comparison.pairs.count)
    var layers: [LayoutLayer] = []
    for (pair, pace) in pace.parts(comparison.pairs) {
      let stored = StoredScheme(
        pair.open, compressing: workspace.description.shape(of: pair.reference))
      var layer = LayoutLayer(
        name: pair.open.name, stored: pair.open.storedText, bytes: pair.open.bytes,
        scheme: stored.scheme, isExact: stored.isExact)
      if scaled == nil {
        let found = try comparison.difference(
          of: pair, fisher: fishers[pair.open.name], pace: pace)
        (layer.relativeError, layer.divergence) = (found.relativeError, found.divergence)
      }
      layers.append(layer)
    }
    let errors = layers.compactMap(\.relativeError).sorted()
    if !errors.isEmpty, errors[errors.count / 2] > Self.foreignError {
      throw JobFailure(
        sentence: "\(file.description.path) was not made of \(workspace.description.path): "
          + "its weights are others")
    }
    if let changed = layers.first(where: \.isKeptAndChanged) {
      workspace.emit(
        .remarked(
          id,
          "the file does not quantize \(changed.name), and yet it differs from the original's: it was pruned, "
            + "or is of another version of the model"))
    }
    workspace.accept(layers, of: file.description, for: id)
  }
}
