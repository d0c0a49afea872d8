import Tensors

extension CachedVectors {
  /// Positions x heads x head size values, held in single precision unless another type is named.
  init(_ values: [Float], heads: Int, size: Int, as type: CacheType = .f32) {
    self.init(type: type, heads: heads, headSize: size)
    append(
      Matrix(rows: values.count / width, columns: width, values: values), column: 0)
  }
}
