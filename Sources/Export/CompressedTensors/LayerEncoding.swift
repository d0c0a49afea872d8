import Checkpoints
import Compression
import Tensors

/// One layer's tensors in a compressed-tensors checkpoint.
struct LayerEncoding: Sendable {
  let shape: LayerShape
  /// How the layer is quantized; nil for weights that are numbers of ``plainType``.
  let format: ModuleFormat?
  /// The type of weights that are not quantized: kept ones, and such as are only pruned.
  let plainType: ElementType
  /// The checkpoint's tensors that are copied as they are, where the layer is kept; nil for all others.
  var copies: [OtherTensors.Entry]?
  /// The heads in its columns, where the layer has them in another order than the checkpoint's readers.
  var columnTiling: HeadTiling?

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
    return (0..<shape.count).map {
      LayerEncoding(shape: shape.expert($0), format: format, plainType: plainType)
    }
  }

  private var ownTensors: [SafetensorsLayout.Tensor] {
    let (rows, columns) = (shape.rows, shape.columns)
    if let format {
      return format.tensors(
        of: shape.name, rows: rows, columns: columns, scaleType: shape.storageType)
    }
    let count = shape.count
    return [
      SafetensorsLayout.Tensor(
        name: "\(shape.name).weight", type: plainType,
        shape: count > 1 ? [count, rows / count, columns] : [rows, columns])
    ]
  }

  /// The elements of ``tensors``, in their order.
  ///
  /// - Throws: ``ExportError`` when the weights are not stored as the format has them, or overflow in its type.
  func encoded(_ weights: LayerWeights) throws(ExportError) -> [EncodedTensor] {
    var encoded: [EncodedTensor] = []
    let experts = experts
    guard let weights = columnTiling.map({ weights.joined().grouping($0) }) ?? weights else {
      throw .unsupported(
        reason: "\(shape.name): heads of its columns share scales, and readers have them apart",
        hint: "choose smaller groups")
    }
    for (place, expert) in experts.enumerated() {
      let rows = place * expert.shape.rows..<(place + 1) * expert.shape.rows
      let part =
        experts.count > 1
        ? weights.selecting(rows: Array(rows), columns: nil).joined() : weights.joined()
      guard let parts = try expert.bytes(of: part) else {
        throw .unsupported(
          reason: "\(shape.name): its weights are not stored as its scheme says", hint: nil)
      }
      encoded += zip(expert.ownTensors, parts).map { EncodedTensor(name: $0.name, bytes: $1) }
    }
    return encoded
  }

  /// What some rows of the layer, from a multiple of 32 on, add to each of ``tensors``; nil if they are not as the format has them.
  ///
  /// - Precondition: the layer is no stack of experts.
  func bytes(of packed: PackedMatrix, rows: Range<Int>) -> [[UInt8]]? {
    guard let format, let packed = columnTiling.map({ packed.grouping($0) }) ?? packed,
      var parts = format.bytes(of: .packed(packed), scaleType: shape.storageType)
    else { return nil }
    // What tells the shape is of the whole layer, and comes with its first rows.
    for (place, tensor) in ownTensors.enumerated() where tensor.name.hasSuffix(".weight_shape") {
      parts[place] =
        rows.lowerBound == 0 ? [Int64(shape.rows), Int64(shape.columns)].littleEndianBytes : []
    }
    return parts
  }

  private func bytes(of weights: LayerWeights) throws(ExportError) -> [[UInt8]]? {
    guard let format else { return [try plainBytes(of: weights)] }
    return format.bytes(of: weights, scaleType: shape.storageType)
  }

  /// All weights in the layer's order, rounded to ``plainType`` unless they are of that type.
  ///
  /// - Throws: ``ExportError`` naming the first weight that overflows in it.
  private func plainBytes(of weights: LayerWeights) throws(ExportError) -> [UInt8] {
    if case .stored(let matrix) = weights, matrix.type == plainType {
      return matrix.bytes(in: .plain)
    }
    let step = max(1, (1 << 20) / weights.columns)
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: weights.rows, by: step) {
      let values = weights.decoded(rows: start..<min(start + step, weights.rows)).values
      if let place = plainType.firstOverflow(in: values) {
        let (row, column) = place.quotientAndRemainder(dividingBy: weights.columns)
        throw .unsupported(
          reason:
            "\(shape.name): the weight \(values[place]) in row \(start + row), column \(column) overflows as "
            + plainType.rawValue, hint: nil)
      }
      bytes += values.bytes(as: plainType)
    }
    return bytes
  }
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

extension [Float] {
  /// The numbers as files hold them in F32, F16 or BF16.
  func bytes(as type: ElementType) -> [UInt8] {
    type == .float32 ? littleEndianBytes : type.rounded(self).littleEndianBytes
  }
}
