import Allocation
import Checkpoints
import Compression
import Tensors
import TestSupport

/// A small model with sensitivity that nobody measured.
struct SensitivitySample {
  let model: ModelDescription
  var sensitivity: Sensitivity

  static let schemes = [2, 4, 8].map { bits in
    Scheme(quantization: QuantizationScheme(bits: bits, group: .size(32), range: .mse))
  }

  /// A model of two blocks, without figures for the layers that are `missing`.
  init(tiesEmbeddings: Bool = true, missing: Set<String> = []) {
    model = ModelDescription.llama(
      hidden: 64, intermediate: 96, blocks: 2, heads: 2, keyValueHeads: 1, headSize: 32,
      vocabulary: 160, tiesEmbeddings: tiesEmbeddings)
    var random = SeededRandom(seed: 11)
    func positive(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: 0.1...2, using: &random) }
    }
    let layers = model.layers.filter { !missing.contains($0.name) }.map { layer in
      let trials = Self.schemes.map { scheme in
        let bits = scheme.quantization?.bits ?? 0
        return SchemeTrial(
          scheme: scheme, bytes: layer.parameters * bits / 8,
          divergence: Double.random(in: 0.5...2, using: &random) / Double(1 << (2 * bits)),
          standardError: 0.01 / Double(1 << (2 * bits)))
      }
      return LayerCosts(
        layer: layer.name, role: layer.role, originalBytes: layer.bytes, energy: 12.5,
        fisher: LayerFisher(
          tokens: 256, inputs: positive(layer.columns), outputs: positive(layer.rows),
          trace: 64),
        trials: trials)
    }
    sensitivity = Sensitivity(
      origin: Sensitivity.Origin(
        model: model.name, fingerprint: model.fingerprint, text: "calibration.txt",
        gradientTokens: 256, trialTokens: 1024, version: "0.1.0"),
      layers: layers)
  }
}
