import Tensors

/// How compressed-tensors stores the weights of quantized modules: how codes are packed, and what they mean.
///
/// Reading and writing both go by it: ``tensors(of:rows:columns:scaleType:)`` has the tensors of a module,
/// ``bytes(of:scaleType:)`` their bytes, and ``json`` the words that config.json has for it.
package struct ModuleFormat: Hashable, Sendable {
  package let packing: CodeFormat
  package let arguments: QuantizationArguments

  /// What is written of weights as integers.
  ///
  /// - Parameters:
  ///   - bits: 1 to 8.
  ///   - sharing: a row or a group of it.
  ///   - isSymmetric: whether there are no zero points.
  ///   - roundsInputs: whether the server rounds each token's inputs to 8 bits; codes are bytes then.
  package init(bits: Int, sharing: ScaleSharing, isSymmetric: Bool, roundsInputs: Bool = false) {
    packing = roundsInputs ? .integers : .packed
    arguments = QuantizationArguments(
      bits: bits, isFloat: false, isSymmetric: isSymmetric, sharing: sharing)
  }

  /// What is written of weights as small floats.
  package init(_ format: FloatFormat) {
    let sharing: ScaleSharing
    switch format {
    case .fp8: (packing, sharing) = (.floats, .channel)
    case .fp8Block: (packing, sharing) = (.floats, .block(rows: format.rowsAScale, columns: 128))
    case .nvfp4: (packing, sharing) = (.nvfp4, .group(16))
    case .mxfp4: (packing, sharing) = (.mxfp4, .group(32))
    }
    arguments = QuantizationArguments(
      bits: format.bits, isFloat: true, isSymmetric: true, sharing: sharing)
  }

  init(packing: CodeFormat, arguments: QuantizationArguments) {
    self.packing = packing
    self.arguments = arguments
  }

  /// What the codes mean, whoever stores them.
  var weights: WeightFormat {
    switch packing {
    case .nvfp4: .nvfp4
    case .mxfp4: .mxfp4
    case .mxfp8: .mxfp8
    case .dense, .packed, .integers, .naive, .floats:
      arguments.isFloat
        ? .float8(arguments.sharing)
        : .integer(
          bits: arguments.bits, sharing: arguments.sharing, isSymmetric: arguments.isSymmetric)
    }
  }

  /// The small floats of Vise's own that codes are; nil for others, among them all integers.
  package var floats: FloatFormat? {
    let packing = packing == .naive ? CodeFormat.floats : packing
    return FloatFormat.allCases.first {
      let own = ModuleFormat($0)
      return own.packing == packing && own.arguments == arguments
    }
  }
}

// MARK: - Tensors

extension ModuleFormat {
  /// A tensor of a module, by what follows the module's name.
  struct Part: Hashable, Sendable {
    let name: String
    let type: ElementType
    let shape: [Int]
  }

  /// The name of the tensor of codes.
  var codesPart: String {
    switch packing {
    case .packed, .nvfp4, .mxfp4: "weight_packed"
    case .dense, .integers, .naive, .floats, .mxfp8: "weight"
    }
  }

  /// The codes of a matrix; packed ones as a dense stream of bits a row.
  func codes(rows: Int, columns: Int) -> Part {
    switch packing {
    case .packed: Part(name: codesPart, type: .int32, shape: [rows, words(of: columns)])
    case .nvfp4, .mxfp4: Part(name: codesPart, type: .uint8, shape: [rows, columns / 2])
    case .dense, .integers, .naive, .floats, .mxfp8:
      Part(name: codesPart, type: arguments.isFloat ? .float8 : .int8, shape: [rows, columns])
    }
  }

  /// The scales of a matrix, and the one for all if there is one; `type` is that of scales which are plain numbers.
  func scales(rows: Int, columns: Int, type: ElementType) -> [Part] {
    let counts = scaleCounts(rows: rows, columns: columns)
    let scaleType: ElementType =
      switch packing {
      case .mxfp4, .mxfp8: .uint8
      case .nvfp4: .float8
      case .dense, .packed, .integers, .naive, .floats: type
      }
    let scales = Part(
      name: "weight_scale", type: scaleType, shape: [counts.rows, counts.columns])
    guard packing == .nvfp4 else { return [scales] }
    return [scales, Part(name: "weight_global_scale", type: .float32, shape: [1])]
  }

  /// Zero points as they are packed, down the rows; nil where there are none.
  func packedPoints(rows: Int, columns: Int) -> Part? {
    guard !arguments.isFloat, !arguments.isSymmetric else { return nil }
    let groups = scaleCounts(rows: rows, columns: columns).columns
    return Part(name: "weight_zero_point", type: .int32, shape: [words(of: rows), groups])
  }

  /// All tensors that hold a module's weights.
  ///
  /// - Parameters:
  ///   - name: the module's.
  ///   - rows: output channels.
  ///   - columns: input channels.
  ///   - scaleType: F16 or BF16.
  /// - Returns: their names, types and shapes.
  package func tensors(
    of name: String, rows: Int, columns: Int, scaleType: ElementType
  ) -> [SafetensorsLayout.Tensor] {
    var parts =
      [codes(rows: rows, columns: columns)] + scales(rows: rows, columns: columns, type: scaleType)
    if packing == .packed {
      parts.append(Part(name: "weight_shape", type: .int64, shape: [2]))
      if let points = packedPoints(rows: rows, columns: columns) { parts.append(points) }
    }
    return parts.map {
      SafetensorsLayout.Tensor(name: "\(name).\($0.name)", type: $0.type, shape: $0.shape)
    }
  }

  /// The rows and columns of the rectangles of a matrix that share a scale.
  func scaleRectangle(rows: Int, columns: Int) -> (rows: Int, columns: Int) {
    switch arguments.sharing {
    case .tensor: (rows, columns)
    case .channel: (1, columns)
    case .group(let size): (1, size)
    case .block(let rows, let columns): (rows, columns)
    }
  }

  /// How many scales a matrix has, down and across.
  func scaleCounts(rows: Int, columns: Int) -> (rows: Int, columns: Int) {
    let rectangle = scaleRectangle(rows: rows, columns: columns)
    return (
      (rows + rectangle.rows - 1) / rectangle.rows,
      (columns + rectangle.columns - 1) / rectangle.columns
    )
  }

  private func words(of codes: Int) -> Int { (codes * arguments.bits + 31) / 32 }
}
