import Compression

/// What the plan asks of every layer, and which layers still have to be worked on for it.
struct PlanProgress {
  /// The scheme of every layer, by its place in the model.
  private(set) var schemes: [Scheme]
  /// Layers without any report yet on what the plan asks of them.
  private(set) var unsampled: Set<Int> = []
  /// Layers whose running weights are not yet what the plan asks for.
  private(set) var uncompressed: Set<Int> = []
  /// Layers that the user looks at, most important first.
  var inSight: [Int] = []

  /// A plan that keeps all of so many layers.
  init(layers: Int) { schemes = Array(repeating: .keep, count: layers) }

  /// Layers that the plan compresses.
  var compressedCount: Int { schemes.count { !$0.keepsLayer } }

  /// Whether the running model is what the plan says.
  var isDone: Bool { uncompressed.isEmpty }

  /// Asks for another scheme of a layer, whose work is not yet done unless something is at hand.
  mutating func ask(_ scheme: Scheme, of layer: Int, isSampled: Bool, isCompressed: Bool) {
    schemes[layer] = scheme
    unsampled.remove(layer)
    uncompressed.remove(layer)
    if !isCompressed {
      uncompressed.insert(layer)
      if !isSampled { unsampled.insert(layer) }
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
  var nextSampleInSight: Int? { inSight.first(where: unsampled.contains) }

  /// The layer to sample next.
  var nextSample: Int? { nextSampleInSight ?? unsampled.min() }

  /// The layer to compress next.
  var nextCompression: Int? { inSight.first(where: uncompressed.contains) ?? uncompressed.min() }
}
