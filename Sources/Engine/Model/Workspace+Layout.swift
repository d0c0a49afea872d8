import Allocation
import Checkpoints
import Compression
import Export
import Tensors

/// What is known of a quantized file that the plan began from.
extension Workspace {
  /// Takes on how a file stores the layers, and tells what follows.
  ///
  /// - Parameters:
  ///   - layers: Of the file, in whatever order it has them.
  ///   - file: What it is.
  ///   - job: Who read it.
  func accept(_ layers: [LayoutLayer], of file: ModelDescription, for job: JobID) {
    let byName = Dictionary(layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let target = file.format.standardTarget
    var layout = StoredLayout(
      path: file.path, target: target, bytes: 0, layers: shapes.compactMap { byName[$0.name] })
    layout.bytes = bytes(of: layout)
    predict(&layout)
    self.layout = layout
    emit(.layoutRead(job, layout))
  }

  /// Bytes of the target's files if it stored each layer as the file does.
  private func bytes(of layout: StoredLayout) -> Int {
    let others = zip(shapes, layout.layers).filter { !$1.isExact }.map { shape, layer in
      layer.bytes
        - LayerSize.predicted(for: shape, scheme: layer.scheme, original: layer.bytes).total
    }
    return others.reduce(bytes(of: layout.schemes, for: layout.target), +)
  }

  /// Makes of what its layers cost by themselves what they should cost in the whole file; leaves the whole open where the
  /// part of some layer is not known.
  private func predict(_ layout: inout StoredLayout) {
    guard var sensitivity else { return }
    let places = Dictionary(
      layout.layers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    for (number, costs) in sensitivity.layers.enumerated() {
      guard let place = places[costs.layer], !layout.layers[place].scheme.keepsLayer else {
        continue
      }
      let layer = layout.layers[place]
      guard let divergence = layer.divergence else { return }
      let trial = SchemeTrial(
        scheme: layer.scheme, bytes: layer.bytes, divergence: divergence, standardError: 0)
      sensitivity.layers[number].record(trial)
      layout.layers[place].divergence = sensitivity.expected(trial, of: costs).divergence
    }
    // What pruning costs that a file does not tell of is not known.
    guard !layout.layers.contains(where: \.isKeptAndChanged) else { return }
    layout.predicted = sensitivity.prediction(for: layout.schemes)
  }
}

extension CheckpointFormat {
  /// Who loads files of this format.
  fileprivate var standardTarget: ExportTarget {
    switch self {
    case .gguf: .llamaCpp
    case .huggingFace: .vllm
    }
  }
}
