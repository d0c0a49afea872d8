import Checkpoints
import Compression
import Tensors

extension LayerEncoding {
  /// The tensors of a layer of small floats.
  func tensors(of format: FloatFormat) -> [SafetensorsLayout.Tensor] {
    let (rows, columns) = (shape.rows, shape.columns)
    let groups = format.groups(inRowOf: columns)
    switch format {
    case .fp8, .fp8Block:
      let scaleRows = (rows + format.rowsAScale - 1) / format.rowsAScale
      return [
        tensor("weight", .float8, [rows, columns]),
        tensor("weight_scale", shape.storageType, [scaleRows, groups]),
      ]
    case .nvfp4:
      return [
        tensor("weight_packed", .uint8, [rows, columns / 2]),
        tensor("weight_scale", .float8, [rows, groups]),
        tensor("weight_global_scale", .float32, [1]),
      ]
    case .mxfp4:
      return [
        tensor("weight_packed", .uint8, [rows, columns / 2]),
        tensor("weight_scale", .uint8, [rows, groups]),
      ]
    }
  }
}

extension FloatMatrix {
  /// Codes, scales and what divides them, as ``LayerEncoding/tensors(of:)`` has them.
  var storedParts: [[UInt8]] {
    switch format {
    case .fp8: [codes, scales.littleEndianBytes]
    case .fp8Block: [codes, sharedScales.littleEndianBytes]
    case .nvfp4: [codes, scales.map { UInt8($0) }, [divisor].littleEndianBytes]
    case .mxfp4: [codes, scales.map { UInt8($0) }]
    }
  }

  /// The scales of the first of all rows that share them.
  private var sharedScales: [UInt16] {
    let groups = format.groups(inRowOf: columns)
    return stride(from: 0, to: rows, by: format.rowsAScale).flatMap {
      scales[$0 * groups..<($0 + 1) * groups]
    }
  }
}
