import Tensors

extension QuantizedLayer {
  /// The layer's codes and scales; nil for formats that ``FloatFormat`` has not.
  func floats() -> FloatMatrix? {
    guard let heldFloats else { return nil }
    let scales: [UInt16] =
      heldFloats.bits == 8
      ? spread(parts.elements(of: "weight_scale", as: UInt16.self))
      : parts.elements(of: "weight_scale", as: UInt8.self).map { UInt16($0) }
    let divisors = parts.elements(of: "weight_global_scale", as: UInt32.self)
    return FloatMatrix(
      rows: rows, columns: columns, format: heldFloats,
      codes: parts.elements(of: codesPart, as: UInt8.self), scales: scales,
      divisor: divisors.first.map { Float(bitPattern: $0) } ?? 1, type: type)
  }

  /// The format that the codes are held in; nil for such as ``FloatFormat`` has not, or not for these rows.
  var heldFloats: FloatFormat? {
    guard let own = format.floats, own.bits == 4 || type != .float32,
      FloatFormat.fitting(columns: columns).contains(own)
    else { return nil }
    return own
  }

  /// The layer's weights in ``type``, rounded as compressed-tensors rounds them: each product once, and products with a
  /// global scale in single precision.
  func decodedFloats() -> LayerWeights {
    let values = format.arguments.bits == 4 ? FloatCodes.e2m1 : FloatCodes.e4m3
    let codes = parts.elements(of: codesPart, as: UInt8.self)
    let scales = scales()
    let (rectangle, across) = (scaleRectangle, scaleCounts.columns)
    let isPaired = codesPart == "weight_packed"
    var weights = DecodedRows(rows: rows, columns: columns, type: type)
    var row = [Float](repeating: 0, count: columns)
    for index in 0..<rows {
      for column in 0..<columns {
        let place = index * columns + column
        let code = isPaired ? codes[place / 2] >> (place % 2 * 4) & 0xf : codes[place]
        let scale = scales[index / rectangle.rows * across + column / rectangle.columns]
        row[column] = values[Int(code)] * scale
      }
      weights.append(row)
    }
    return weights.layer
  }

  /// The scales as numbers, the global one taken into account.
  private func scales() -> [Float] {
    let part = "weight_scale"
    switch format.packing {
    case .mxfp4, .mxfp8:
      return parts.elements(of: part, as: UInt8.self).map { FloatCodes.powerOfTwo($0) }
    case .nvfp4:
      let global = Float(bitPattern: parts.elements(of: "weight_global_scale", as: UInt32.self)[0])
      return parts.elements(of: part, as: UInt8.self).map { FloatCodes.e4m3[Int($0)] / global }
    default:
      guard type != .float32 else {
        return parts.elements(of: part, as: UInt32.self).map { Float(bitPattern: $0) }
      }
      return type.widened(parts.elements(of: part, as: UInt16.self))
    }
  }
}
