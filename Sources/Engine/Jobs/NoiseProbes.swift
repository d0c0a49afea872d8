import Allocation
import Checkpoints
import Compression
import Inference

/// Weighs every layer by the KLD that noise in it alone causes: what stands in for gradients.
struct NoiseProbes {
  /// What was found of each layer.
  private(set) var result: [String: LayerFisher] = [:]
  private var pass: ReplacementPass
  /// The layer that has noise now, or is about to.
  private var probe: (layer: LayerDescription, noise: NoisyWeights)?

  /// Probes that have not begun.
  init(_ pass: ReplacementPass) { self.pass = pass }

  /// Tokens that each layer is measured on.
  var tokenCount: Int { pass.scoredTokens }

  var fractionCompleted: Double { pass.fractionCompleted }

  /// Works for a while.
  ///
  /// - Returns: whether there is more to do.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> Bool {
    do {
      guard let wanted = pass.wanted, let number = workspace.number(of: wanted.name) else {
        let goesOn = try pass.step()
        note()
        return goesOn
      }
      var noise =
        try probe?.noise
        ?? NoisyWeights(of: workspace.matrix(of: number), shape: workspace.shapes[number])
      // Held in one place only while it works, so that nothing of it is copied.
      probe = nil
      noise.step(rows: max(1, (1 << 18) / max(wanted.columns, 1)))
      if noise.isFinished { try pass.replace(by: noise.weights) }
      probe = (wanted, noise)
      return true
    } catch let failure as JobFailure {
      throw failure
    } catch {
      throw JobFailure(sentence: "\(error)")
    }
  }

  /// Takes on what the layer's noise was found to cost, once it is.
  private mutating func note() {
    guard let (layer, noise) = probe, let found = pass.result[layer.name] else { return }
    probe = nil
    result[layer.name] = LayerFisher(
      noiseDivergence: found.value, relativeEnergy: noise.relativeEnergy, energy: noise.energy,
      tokens: tokenCount, rows: layer.rows, columns: layer.columns)
  }
}
