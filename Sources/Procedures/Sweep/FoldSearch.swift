import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// The scales of all AWQ layers of a block, searched from one observation of it.
struct FoldSearch {
  /// The schemes of the block's layers that they were searched for.
  private let schemes: [Int: Scheme]
  private var found: [(mapping: ScaleMapping, scales: [Float])] = []
  private var norms: [InputSite: FoldedNorm] = [:]

  /// Searches; scales stay ones where nothing is known of a site.
  ///
  /// - Parameters:
  ///   - block: the block.
  ///   - scheme: of a layer, by its place in the model.
  ///   - layers: of the model.
  ///   - inputs: what is read at a site.
  ///   - pool: threads that share the work.
  ///   - pace: of the whole search.
  /// - Throws: ``WorkFailure`` for layers that cannot be read, and when the pace ends it.
  init(
    ofBlock block: Int, scheme: (Int) -> Scheme, of layers: ModelLayers,
    inputs: (InputSite) -> InputStatistics?, on pool: WorkerPool, pace: Pace
  ) throws(WorkFailure) {
    let all = layers.shapes.indices
    let schemes = all.map(scheme)
    self.schemes = Dictionary(
      uniqueKeysWithValues: all.filter { layers.description.layers[$0].block == block }
        .map { ($0, schemes[$0]) })
    let mappings = ScaleMapping.mappings(
      ofBlock: block, schemes: schemes, of: layers.description)
    for (mapping, pace) in pace.parts(mappings) {
      guard let statistics = inputs(mapping.site) else { continue }
      var readers: [AWQSearch.Layer] = []
      for number in mapping.readers {
        readers.append(
          AWQSearch.Layer(
            matrix: try layers.matrix(of: number), shape: layers.shapes[number],
            scheme: schemes[number]))
      }
      if let scales = try Self.scales(of: readers, statistics, on: pool, pace: pace) {
        try add(scales, of: mapping, in: layers.checkpoint)
      }
    }
  }

  private static func scales(
    of readers: [AWQSearch.Layer], _ statistics: InputStatistics, on pool: WorkerPool, pace: Pace
  ) throws(WorkFailure) -> [Float]? {
    var search: AWQSearch
    do {
      search = try AWQSearch(layers: readers, statistics: statistics, pool: pool)
    } catch {
      throw WorkFailure(error)
    }
    while !search.isFinished {
      do { try search.step() } catch { throw WorkFailure(error) }
      try pace.tick(search.progress)
    }
    return search.finish()
  }

  /// Gives the scales to the layers, and to what takes them back.
  private mutating func add(
    _ scales: [Float], of mapping: ScaleMapping, in checkpoint: Checkpoint
  ) throws(WorkFailure) {
    guard let name = mapping.norm else {
      found.append((mapping, scales))
      return
    }
    do {
      let type = try checkpoint.matrix(of: name).type
      let norm = try checkpoint.vector(named: name)
      let folded = FoldedNorm(name: name, dividing: norm, by: scales, storedAs: type)
      found.append((mapping, folded.scales(from: norm)))
      norms[mapping.site] = folded
    } catch {
      throw WorkFailure(error)
    }
  }

  /// Whether the block's layers are still to become what the scales were searched for.
  func fits(_ scheme: (Int) -> Scheme) -> Bool { schemes.allSatisfy { scheme($0) == $1 } }

  /// What was found for a layer.
  func fold(of number: Int) -> ChannelFold {
    var fold = ChannelFold.none
    var partners: Set<Int> = [number]
    for (mapping, scales) in found {
      if mapping.readers.contains(number) {
        fold.scales.columns = scales
        fold.norm = norms[mapping.site]
      }
      if mapping.source == number { fold.scales.rows = scales.map { 1 / $0 } }
    }
    // Layers share partners: v stands between q, k and o. The found are few, and in the order of the model.
    for _ in found {
      for (mapping, _) in found where !partners.isDisjoint(with: mapping.layers) {
        partners.formUnion(mapping.layers)
      }
    }
    fold.partners = partners.subtracting([number])
    return fold
  }
}
