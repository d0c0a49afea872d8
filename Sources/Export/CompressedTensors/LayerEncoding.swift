import Checkpoints
import Compression
import Tensors

/// One layer's tensors in a compressed-tensors checkpoint.
struct LayerEncoding: Sendable {
  let shape: LayerShape
  let format: WeightFormat

  /// The tensors that hold the layer; the same whatever its weights are.
  var tensors: [SafetensorsLayout.Tensor] {
    let (rows, columns) = (shape.rows, shape.columns)
    switch format {
    case .dense(let type): return [tensor("weight", type, [rows, columns])]
    case .packed(let bits, let group, let isSymmetric):
      let groups = columns / group.weights(inRowOf: columns)
      let parts = [
        tensor("weight_packed", .int32, [rows, words(columns * bits)]),
        tensor("weight_scale", shape.storageType, [rows, groups]),
        tensor("weight_shape", .int64, [2]),
      ]
      let zeroPoints = tensor("weight_zero_point", .int32, [words(rows * bits), groups])
      return isSymmetric ? parts : parts + [zeroPoints]
    case .bytesWithRoundedInputs:
      return [
        tensor("weight", .int8, [rows, columns]),
        tensor("weight_scale", shape.storageType, [rows, 1]),
      ]
    case .floats(let format): return tensors(of: format)
    }
  }

  /// The elements of ``tensors``, in their order.
  ///
  /// - Throws: ``ExportError`` when the weights are not stored as the format has them.
  func encoded(_ storage: LayerStorage) throws(ExportError) -> [EncodedTensor] {
    guard let parts = bytes(of: storage) else {
      throw .unsupported(
        reason: "\(shape.name): its weights are not stored as its scheme says", hint: nil)
    }
    return zip(tensors, parts).map { EncodedTensor(name: $0.name, bytes: $1) }
  }

  private func bytes(of storage: LayerStorage) -> [[UInt8]]? {
    switch (format, storage) {
    case (.dense(shape.storageType), .dense16(let bits)): return [bits.littleEndianBytes]
    case (.dense(let type), .original(let weights)): return [weights.bytes(as: type)]
    case (.packed, .packed(let matrix)), (.packed, .original(.packed(let matrix))):
      return packedParts(of: matrix)
    case (.bytesWithRoundedInputs, .packed(let matrix)),
      (.bytesWithRoundedInputs, .original(.packed(let matrix))):
      guard matrix.bits == 8, matrix.groupsPerRow == 1, matrix.zeros == .symmetric else {
        return nil
      }
      // Codes count from the lowest level, the format's from zero: the sign bit tells them apart.
      let weights = matrix.codes.littleEndianBytes
      let rows = (0..<matrix.rows).flatMap { row in
        let start = row * matrix.wordsPerRow * 4
        return weights[start..<start + matrix.columns].map { $0 ^ 0x80 }
      }
      return [rows, matrix.scales.littleEndianBytes]
    case (.floats(let format), .floats(let matrix)),
      (.floats(let format), .original(.floats(let matrix))):
      return matrix.format == format ? matrix.storedParts : nil
    default: return nil
    }
  }

  private func packedParts(of matrix: PackedMatrix) -> [[UInt8]]? {
    guard case .packed(matrix.bits, let group, let isSymmetric) = format,
      group.weights(inRowOf: shape.columns) == matrix.groupSize,
      isSymmetric == (matrix.zeros == .symmetric), matrix.scaleType == shape.storageType
    else { return nil }
    let parts = [
      matrix.codes.littleEndianBytes, matrix.scales.littleEndianBytes,
      [Int64(shape.rows), Int64(shape.columns)].littleEndianBytes,
    ]
    guard !isSymmetric else { return parts }
    return matrix.packedZeroPoints().map { parts + [$0.littleEndianBytes] }
  }

  func tensor(
    _ part: String, _ type: ElementType, _ shape: [Int]
  ) -> SafetensorsLayout.Tensor {
    SafetensorsLayout.Tensor(name: "\(self.shape.name).\(part)", type: type, shape: shape)
  }

  private func words(_ bits: Int) -> Int { (bits + 31) / 32 }
}

extension LayerWeights {
  /// All weights in the layer's order, rounded to F32, F16 or BF16 unless they are of that type.
  fileprivate func bytes(as type: ElementType) -> [UInt8] {
    if case .stored(let matrix) = self, matrix.type == type { return matrix.bytes(in: .plain) }
    if case .stack(let members) = self { return members.flatMap { $0.bytes(as: type) } }
    let step = max(1, (1 << 20) / columns)
    return stride(from: 0, to: rows, by: step).flatMap { start in
      decoded(rows: start..<min(start + step, rows)).values.bytes(as: type)
    }
  }
}

extension [Float] {
  /// The numbers as files hold them in F32, F16 or BF16.
  func bytes(as type: ElementType) -> [UInt8] {
    type == .float32 ? littleEndianBytes : type.rounded(self).littleEndianBytes
  }
}
