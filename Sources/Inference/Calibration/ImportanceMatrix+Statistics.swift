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
      entries[layer.ggufName] = Entry(found)
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
      guard let found = InputStatistics(entry, of: layer) else {
        let experts = layer.count > 1 ? " of \(layer.count) experts" : ""
        throw CheckpointError(
          file: path, tensor: layer.ggufName,
          reason: "has \(entry.sums.count) sums for a layer of \(layer.columns) inputs\(experts)",
          hint: "make an imatrix of this model")
      }
      statistics[layer.name] = found
    }
    guard !statistics.isEmpty else {
      throw CheckpointError(
        file: path, reason: "is an imatrix of a model with other layers",
        hint: "make an imatrix of this model")
    }
    return statistics
  }
}

extension ImportanceMatrix.Entry {
  fileprivate init(_ statistics: InputStatistics) {
    func sums(of statistics: InputStatistics?) -> [Float] {
      statistics.map { known in known.secondMoments.map { $0 * Float(known.tokens) } } ?? []
    }
    guard !statistics.experts.isEmpty else {
      self.init(sums: sums(of: statistics), tokens: statistics.tokens)
      return
    }
    let nothing = [Float](repeating: 0, count: statistics.columns)
    self.init(
      sums: statistics.experts.flatMap { $0 == nil ? nothing : sums(of: $0) },
      counts: statistics.experts.map { $0?.tokens ?? 0 })
  }
}

extension InputStatistics {
  /// What a layer reads; nil if the entry is of a layer of another shape.
  fileprivate init?(_ entry: ImportanceMatrix.Entry, of layer: LayerDescription) {
    let tokens = entry.tokens
    guard tokens > 0, entry.sums.count == entry.counts.count * layer.columns,
      entry.counts.count == 1 || entry.counts.count == layer.count
    else { return nil }
    var totals = [Float](repeating: 0, count: layer.columns)
    for (place, sum) in entry.sums.enumerated() { totals[place % layer.columns] += sum }
    self.init(secondMoments: totals.map { $0 / Float(tokens) }, tokens: tokens)
    guard layer.count > 1, entry.counts.count > 1 else { return }
    self = with(
      experts: entry.counts.enumerated().map { expert, tokens in
        guard tokens > 0 else { return nil }
        return InputStatistics(
          secondMoments: entry.sums(ofExpert: expert).map { $0 / Float(tokens) }, tokens: tokens)
      })
  }

  /// Second moments only: means are not known.
  private init(secondMoments: [Float], tokens: Int) {
    self.init(
      tokens: tokens, means: Array(repeating: 0, count: secondMoments.count),
      secondMoments: secondMoments)
  }
}
