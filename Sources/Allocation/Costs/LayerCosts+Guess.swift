import Checkpoints
import Compression
import Glibc

extension LayerCosts {
  /// What a scheme that was never tried should about cost, from its width alone.
  ///
  /// The error of normally distributed weights, rounded in groups of 64 with a zero point, falls by about 6.4 dB with
  /// each bit (6.8 dB SQNR at 2 bits, 45.4 at 8); pruning loses the energy of the smallest weights. It serves layers
  /// that are pinned, whose KLD changes no choice.
  func guess(_ scheme: Scheme, for layer: LayerDescription) -> SchemeTrial {
    var error = 0.0
    if let bits = scheme.quantization?.bits {
      error += pow(10, -(6.8 + 6.43 * Double(bits - 2)) / 10)
    }
    if let ratio = scheme.sparsity?.pattern.ratio {
      // Energy of the middle `ratio` of a normal distribution, to a few percent.
      error += pow(ratio, 3) * 0.52 + 0.48 * pow(ratio, 8)
    }
    let divergence = error * fisher.divergencePerRelativeError(energy: energy)
    return SchemeTrial(
      scheme: scheme, bytes: layer.size(under: scheme).total, divergence: divergence,
      standardError: divergence)
  }
}
