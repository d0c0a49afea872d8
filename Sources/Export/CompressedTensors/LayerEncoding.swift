import Checkpoints
import Compression
import Tensors

/// One layer's tensors in a compressed-tensors checkpoint.
struct LayerEncoding: Sendable {
  let shape: LayerShape
  let format: WeightFormat
  /// The checkpoint's tensors that are copied as they are, where the layer is kept; nil for all others.
  var copies: [OtherTensors.Entry]?

  /// The tensors that hold the layer; the same whatever its weights are.
  var tensors: [SafetensorsLayout.Tensor] {
    if let copies { return copies.map(\.layout) }
    return experts.flatMap { $0.ownTensors }
  }

  /// The modules that the layer is to readers: one, or one for each expert.
  var modules: [String] { experts.map(\.shape.name) }

  /// One encoding for each matrix of a stack of experts; only this one for any other layer.
  private var experts: [LayerEncoding] {
    guard shape.hasNumberedExperts else { return [self] }
    return (0..<shape.count).map { LayerEncoding(shape: shape.expert($0), format: format) }
  }

  private var ownTensors: [SafetensorsLayout.Tensor] {
    let (rows, columns) = (shape.rows, shape.columns)
    switch format {
    case .dense(let type):
      let count = shape.count
      return [
        tensor("weight", type, count > 1 ? [count, rows / count, columns] : [rows, columns])
      ]
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
  /// - Throws: ``ExportError`` when the weights are not stored as the format has them, or overflow in its type.
  func encoded(_ storage: LayerStorage) throws(ExportError) -> [EncodedTensor] {
    var encoded: [EncodedTensor] = []
    let experts = experts
    for (place, expert) in experts.enumerated() {
      let rows = place * expert.shape.rows..<(place + 1) * expert.shape.rows
      let part = experts.count > 1 ? storage.part(rows: rows, of: shape) : storage.joined()
      try expert.checkRange(of: part)
      guard let parts = expert.bytes(of: part) else {
        throw .unsupported(
          reason: "\(shape.name): its weights are not stored as its scheme says", hint: nil)
      }
      encoded += zip(expert.ownTensors, parts).map { EncodedTensor(name: $0.name, bytes: $1) }
    }
    return encoded
  }

  /// Checks that kept weights fit the type that they are rounded to.
  private func checkRange(of storage: LayerStorage) throws(ExportError) {
    guard case .dense(let type) = format, case .original(let weights) = storage,
      weights.type != type, type != .float32
    else { return }
    let step = max(1, (1 << 20) / weights.columns)
    for start in stride(from: 0, to: weights.rows, by: step) {
      let values = weights.decoded(rows: start..<min(start + step, weights.rows)).values
      guard let place = type.widened(type.rounded(values)).firstNonFinite else { continue }
      let (row, column) = place.quotientAndRemainder(dividingBy: weights.columns)
      throw .unsupported(
        reason:
          "\(shape.name): the weight \(values[place]) in row \(start + row), column \(column) overflows as "
          + type.rawValue, hint: nil)
    }
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

extension LayerShape {
  /// Whether it is a stack whose matrices are modules of their own, which names with numbers in them tell apart.
  var hasNumberedExperts: Bool { count > 1 && ExpertName.isStack(name) }

  /// The shape of one matrix of a stack: `mlp.experts.3.up_proj` of `mlp.experts.up_proj`.
  fileprivate func expert(_ number: Int) -> LayerShape {
    LayerShape(
      name: ExpertName.of(number, in: name),
      rows: rows / count, columns: columns, type: type)
  }
}

extension LayerStorage {
  /// What holds some rows of a layer, which are a matrix of their own.
  fileprivate func part(rows: Range<Int>, of shape: LayerShape) -> LayerStorage {
    let indices = Array(rows)
    func selected(_ weights: LayerWeights) -> LayerWeights {
      weights.selecting(rows: indices, columns: nil)
    }
    switch self {
    case .packed(let matrix): return .packed(matrix.selecting(rows: indices))
    case .dense16(let bits):
      return .dense16(
        Array(bits[rows.lowerBound * shape.columns..<rows.upperBound * shape.columns]))
    case .floats(let matrix):
      // Whole rows of floats that share no scales stay floats.
      if case .floats(let part) = selected(.floats(matrix)) { return .floats(part) }
      return .original(selected(.floats(matrix)))
    case .blocks(let matrix): return .original(selected(.stored(matrix)))
    case .original(let weights): return .original(selected(weights))
    }
  }

  func joined() -> LayerStorage {
    if case .original(let weights) = self { return .original(weights.joined()) }
    return self
  }
}

extension LayerWeights {
  /// All weights in the layer's order, rounded to F32, F16 or BF16 unless they are of that type.
  fileprivate func bytes(as type: ElementType) -> [UInt8] {
    if case .stored(let matrix) = self, matrix.type == type { return matrix.bytes(in: .plain) }
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
