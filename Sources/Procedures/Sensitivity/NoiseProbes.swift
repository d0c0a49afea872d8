import Allocation
import Checkpoints
import Compression
import Inference
import Tensors
import Work

extension ModelLayers {
  /// Weighs every layer by the KLD that noise in it alone causes: what stands in for gradients.
  ///
  /// - Parameters:
  ///   - pass: Over all layers of the model.
  ///   - pace: Of all of them.
  /// - Returns: The weights by layer.
  /// - Throws: ``WorkFailure`` when a layer cannot be read, or the pace ends it.
  func noiseWeights(
    in pass: ReplacementPass, pace: Pace
  ) throws(WorkFailure) -> [String: LayerFisher] {
    var noise: NoisyWeights?
    var found: [String: LayerFisher] = [:]
    try pass.run(pace: pace) { layer, pace throws(WorkFailure) in
      guard let number = number(of: layer.name) else { return nil }
      let made = try NoisyWeights(of: matrix(of: number), shape: shapes[number], pace: pace)
      noise = made
      return made.weights
    } hearing: { layer, divergence in
      guard let noise else { return }
      found[layer.name] = LayerFisher(
        noiseDivergence: divergence.value, relativeEnergy: noise.relativeEnergy,
        energy: noise.energy, tokens: pass.scoredTokens, rows: layer.rows, columns: layer.columns)
    }
    return found
  }
}
