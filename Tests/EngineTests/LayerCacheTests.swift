import Compression
import Tensors
import Procedures
import Testing

@testable import Engine

@Suite final class LayerCacheTests {
  private var cache = LayerCache(limit: 100_000)

  private func cached(_ key: LayerCache.Key) -> LayerResult? { cache.result(for: key) }

  /// A result whose weights take `words` words of codes, and its report.
  private func result(words: Int, standing: Standing = .exact) -> LayerResult {
    let histogram = Histogram(lower: -1, upper: 1, bins: 4)
    let matrix = PackedMatrix(
      rows: words, columns: 4, bits: 8, groupSize: 4, codes: Array(repeating: 0, count: words),
      scales: Array(repeating: 0, count: words), scaleType: .float16, zeros: .symmetric)
    let report = LayerReport(
      layer: "layer", scheme: .keep, standing: standing,
      size: LayerSize(
        original: 0, codes: 0, scales: 0, zeroPoints: 0, mask: 0, padding: 0, withBitmask: nil),
      bitsPerWeight: 8,
      error: WeightError(mse: 0, sqnr: nil, sqnrBand: 0, cosine: 1, maxError: 0), zeroFraction: 0,
      before: histogram, after: histogram, difference: histogram, worstChannels: [])
    return LayerResult(weights: .packed(matrix), report: report)
  }

  private func key(_ layer: Int, bits: Int = 4) -> LayerCache.Key {
    LayerCache.Key(
      layer: layer, scheme: Scheme(quantization: QuantizationScheme(bits: bits)))
  }

  @Test func findsByLayerAndScheme() {
    cache.keep(result(words: 8), for: key(1))
    #expect(cached(key(1)) != nil)
    #expect(cached(key(2)) == nil)
    #expect(cached(key(1, bits: 3)) == nil)
  }

  @Test func exactReplacesSampledAndStays() {
    let sampled = result(words: 1, standing: .sampled(rows: 32)).report
    cache.keep(sampled, for: key(1))
    let before = cache.report(for: key(1))
    #expect(before?.standing == .sampled(rows: 32))
    #expect(cached(key(1)) == nil)
    cache.keep(result(words: 8), for: key(1))
    cache.keep(sampled, for: key(1))
    let after = cache.report(for: key(1))
    #expect(after?.standing == .exact)
  }

  @Test func staysWithinItsLimit() {
    for layer in 0..<200 {
      cache.keep(result(words: 500), for: key(layer))
      #expect(cache.bytes <= 100_000)
    }
    #expect(cache.bytes > 50_000)
    #expect(cached(key(199)) != nil)
    #expect(cached(key(0)) == nil)
  }

  @Test func leastRecentlyUsedGoesFirst() {
    cache.keep(result(words: 500), for: key(0))
    for layer in 1..<200 {
      cache.keep(result(words: 500), for: key(layer))
      #expect(cached(key(0)) != nil)
    }
    #expect(cached(key(1)) == nil)
  }

  @Test func replacingDoesNotCountTwice() {
    cache.keep(result(words: 500), for: key(0))
    let once = cache.bytes
    cache.keep(result(words: 500), for: key(0))
    #expect(cache.bytes == once)
  }

  @Test func whatIsLargerThanTheLimitIsNotKept() {
    cache = LayerCache(limit: 1000)
    cache.keep(result(words: 5000), for: key(0))
    #expect(cached(key(0)) == nil)
    #expect(cache.bytes == 0)
  }
}
