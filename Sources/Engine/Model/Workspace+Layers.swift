import Compression
import Procedures
import Tensors
import Work

/// Work on single layers.
extension Workspace {
  /// What a layer's weights look like; kept once it was read.
  func profile(of number: Int, pace: Pace) throws(JobFailure) -> RowProfile {
    let layers = layers
    let profile = try layers.profile(of: number, on: models.sharedPool(), pace: pace)
    self.layers.profiles[number] = profile
    return profile
  }

  /// A sampled report on a layer.
  ///
  /// - Throws: ``JobFailure`` when the scheme does not fit, or weights are no numbers.
  func sampled(_ key: LayerCache.Key, _ profile: RowProfile) throws(JobFailure) -> LayerReport {
    let matrix = try matrix(of: key.layer)
    defer { matrix.releasePages() }
    do throws(CompressionError) {
      let preview = try LayerPreview(
        matrix: matrix, shape: shapes[key.layer], scheme: key.scheme, profile: profile,
        statistics: statistics(of: key.layer))
      return try preview.report(original: originalBytes(of: key.layer))
    } catch {
      throw JobFailure(error)
    }
  }

  /// What a layer becomes that needs no sweep, taken from what is at hand or compressed now.
  ///
  /// - Throws: ``JobFailure`` when it cannot be compressed so, or the pace ends it.
  func compressed(_ key: LayerCache.Key, pace: Pace) throws(JobFailure) -> LayerResult {
    if let result = result(for: key) { return result }
    let layers = layers
    let original = try matrix(of: key.layer)
    defer { original.releasePages() }
    var result = try layers.compressed(
      key.layer, key.scheme, statistics: statistics(of: key.layer), on: models.sharedPool(),
      pace: pace)
    result.context = key.context
    return result
  }
}
