import Checkpoints
import Compression

extension ImportanceMatrix {
  /// The second moments of what layers read, in llama.cpp's terms.
  ///
  /// - Parameters:
  ///   - statistics: By name of the layer; other names are left out.
  ///   - model: The model whose layers they are.
  ///   - datasets: The texts that they were collected from.
  ///   - windows: How those were read.
  public init(
    _ statistics: [String: InputStatistics], of model: ModelDescription, datasets: [String],
    windows: TokenWindows
  ) {
    var entries: [String: Entry] = [:]
    for layer in model.layers {
      guard let found = statistics[layer.name] else { continue }
      entries[layer.ggufName] = Entry(
        sums: found.secondMoments.map { $0 * Float(found.tokens) }, tokens: found.tokens)
    }
    self.init(
      entries: entries, datasets: datasets, chunkCount: windows.count, chunkSize: windows.length)
  }

  /// What the layers of a model read, by name: second moments only, the means are not known and zero.
  ///
  /// Layers that the imatrix does not have are left out: llama-imatrix collects nothing for a tied embedding.
  /// - Parameters:
  ///   - model: The model.
  ///   - path: The file that the imatrix came from, for errors.
  /// - Returns: Statistics by name of the layer.
  /// - Throws: ``CheckpointError`` when it belongs to another model.
  public func statistics(
    for model: ModelDescription, from path: String
  ) throws(CheckpointError) -> [String: InputStatistics] {
    var statistics: [String: InputStatistics] = [:]
    for layer in model.layers {
      guard let entry = entries[layer.ggufName] else { continue }
      guard entry.sums.count == layer.columns else {
        throw CheckpointError(
          file: path, tensor: layer.ggufName,
          reason: "has \(entry.sums.count) sums for a layer of \(layer.columns) inputs",
          hint: "make an imatrix of this model")
      }
      statistics[layer.name] = InputStatistics(
        tokens: entry.tokens, means: Array(repeating: 0, count: layer.columns),
        secondMoments: entry.sums.map { $0 / Float(entry.tokens) })
    }
    guard !statistics.isEmpty else {
      throw CheckpointError(
        file: path, reason: "is an imatrix of a model with other layers",
        hint: "make an imatrix of this model")
    }
    return statistics
  }
}
