import Compression

/// What the plan asks of every layer, and which layers still have to be worked on for it.
struct PlanProgress {
  /// What every layer is to become, by its place in the model.
  private(set) var keys: [LayerCache.Key]
  /// What has to be known of a layer's inputs first.
  private var needs: [CalibrationNeed]
  /// Layers without any report yet on what the plan asks of them.
  private(set) var unsampled: Set<Int> = []
  /// Layers whose running weights are not yet what the plan asks for.
  private(set) var uncompressed: Set<Int> = []
  /// Layers that the user looks at, most important first.
  var inSight: [Int] = []
  /// Whether there is a text to calibrate on.
  var isCalibrated = false
  /// Whether second moments of the layers' inputs are known.
  var hasMoments = false

  /// A plan that keeps all of so many layers.
  init(layers: Int) {
    keys = (0..<layers).map { LayerCache.Key(layer: $0, scheme: .keep) }
    needs = Array(repeating: .nothing, count: layers)
  }

  /// The scheme of a layer.
  func scheme(of layer: Int) -> Scheme { keys[layer].scheme }

  /// Layers that the plan compresses.
  var compressedCount: Int { keys.count { !$0.scheme.keepsLayer } }

  /// Whether the running model is what the plan says.
  var isDone: Bool { uncompressed.isEmpty }

  /// Whether some layer cannot be compressed before the model is calibrated.
  var needsCalibration: Bool {
    needsMoments || (!isCalibrated && uncompressed.contains { needs[$0] > .nothing })
  }

  /// Whether some layer cannot be compressed before second moments are known.
  var needsMoments: Bool { !hasMoments && uncompressed.contains { needs[$0] == .moments } }

  /// Whether some layer is still to be compressed in the sweep over the blocks.
  var needsSweep: Bool { uncompressed.contains { needs[$0] == .gram } }

  /// Asks for something else of a layer, whose work is not yet done unless something is at hand.
  ///
  /// The need is `gram` for layers that are compressed in the sweep over the blocks only.
  mutating func ask(
    _ key: LayerCache.Key, need: CalibrationNeed, isSampled: Bool, isCompressed: Bool
  ) {
    keys[key.layer] = key
    needs[key.layer] = need
    unsampled.remove(key.layer)
    uncompressed.remove(key.layer)
    if !isCompressed {
      uncompressed.insert(key.layer)
      if !isSampled && need < .gram { unsampled.insert(key.layer) }
    }
  }

  /// Says that there is a report on a layer under its scheme.
  mutating func didSample(_ layer: Int) { unsampled.remove(layer) }

  /// Says that a layer runs with its scheme.
  mutating func didCompress(_ layer: Int) {
    unsampled.remove(layer)
    uncompressed.remove(layer)
  }

  /// The layer to sample next that the user looks at.
  var nextSampleInSight: Int? { inSight.first { unsampled.contains($0) && isReady($0) } }

  /// The layer to sample next.
  var nextSample: Int? { nextSampleInSight ?? unsampled.filter(isReady).min() }

  /// The layer to compress next that needs no sweep.
  var nextCompression: Int? {
    inSight.first { uncompressed.contains($0) && isReady($0) }
      ?? uncompressed.filter(isReady).min()
  }

  /// Layers that wait for the sweep; none before the model is calibrated, and none while layers that others are fitted
  /// beside wait for second moments.
  var unswept: [Int] {
    guard isCalibrated, !needsMoments else { return [] }
    return uncompressed.filter { needs[$0] == .gram }.sorted()
  }

  /// Whether some layer can be worked on now.
  var hasWork: Bool { nextSample != nil || nextCompression != nil || !unswept.isEmpty }

  private func isReady(_ layer: Int) -> Bool {
    needs[layer] == .nothing || (hasMoments && needs[layer] == .moments)
  }
}
