import Compression
import Export
import Tensors
import Testing

/// The table says the same as the checks of single layers.
@Suite struct TargetLimitsTests {
  private static let layer = LayerShape(
    name: "model.layers.0.mlp.up_proj", rows: 512, columns: 1024, type: .bfloat16)

  private static let schemes: [Scheme] =
    BlockType.allCases.map { Scheme(quantization: QuantizationScheme(block: $0)) }
    + FloatFormat.allCases.map { Scheme(quantization: QuantizationScheme(float: $0)) }
    + QuantizationScheme.widths.flatMap { bits in
      ([.channel] + GroupSize.sizes.map { GroupSize.size($0) }).flatMap { group in
        [true, false].map { isSymmetric in
          Scheme(
            quantization: QuantizationScheme(bits: bits, group: group, isSymmetric: isSymmetric))
        }
      }
    } + [.keep, Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))]

  @Test func everyTargetIsInTheTable() {
    #expect(TargetLimits.all.map(\.target) == ExportTarget.allCases)
    #expect(TargetLimits.all.allSatisfy { $0.format == $0.target.format })
  }

  @Test(arguments: TargetLimits.all)
  func tableAndRefusalsAgree(limits: TargetLimits) {
    for scheme in Self.schemes {
      let refusal = limits.refusal(of: scheme, for: Self.layer)
      #expect((refusal == nil) == limits.has(scheme), "\(scheme.summary): \(refusal as Any)")
    }
  }

  @Test(arguments: TargetLimits.all)
  func nearestSchemesAreHeld(limits: TargetLimits) throws {
    for scheme in Self.schemes {
      guard let refusal = limits.refusal(of: scheme, for: Self.layer) else { continue }
      #expect(refusal.layer == Self.layer.name && !refusal.reason.isEmpty)
      guard let nearest = refusal.nearest else { continue }
      try nearest.validated(for: Self.layer)
      #expect(limits.has(nearest), "\(scheme.summary) -> \(nearest.summary)")
    }
  }
}
