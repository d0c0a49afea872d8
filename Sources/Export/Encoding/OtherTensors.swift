import Checkpoints
import Compression
import Tensors

/// The tensors of an export that are no layers: norms, biases, routers, and what the model does not compute with.
///
/// In the checkpoint's own format they are its bytes, in the other one the same values, as far as that has words for them.
struct OtherTensors: Sendable {
  /// A tensor's place in an export.
  struct Entry: Codable, Hashable, Sendable {
    /// As the export's files name it.
    let name: String
    /// The type as the format names it.
    let typeName: String
    /// Row-major.
    let shape: [Int]
    let byteCount: Int

    init(name: String, typeName: String, shape: [Int], byteCount: Int) {
      self.name = name
      self.typeName = typeName
      self.shape = shape
      self.byteCount = byteCount
    }

    /// Its place in a safetensors file.
    var layout: SafetensorsLayout.Tensor {
      SafetensorsLayout.Tensor(
        name: name, typeName: typeName, shape: shape, byteCount: byteCount)
    }

    /// A tensor that is copied as it is.
    init(_ tensor: StoredTensor) {
      self.init(
        name: tensor.name, typeName: tensor.typeName, shape: tensor.shape,
        byteCount: tensor.byteCount)
    }
  }

  private enum Source: Sendable {
    case tensor(ModelTensor)
    /// The gates' or the ups' part of biases that are one tensor in Hugging Face checkpoints.
    case half(ModelTensor, isGate: Bool)
    case stored(StoredTensor)
    case constant([Float])
  }

  private let checkpoint: Checkpoint
  private let format: CheckpointFormat
  /// Whether these become F32, as llama.cpp wants all but layers, because GGUF is made of another format.
  private let isConverted: Bool
  /// In the order of the model, what it does not compute with last.
  let entries: [Entry]
  private let sources: [String: Source]

  /// - Throws: ``ExportError`` when the checkpoint lacks a tensor of the model, or one holds what is no number.
  init(of checkpoint: Checkpoint, in format: CheckpointFormat) throws(ExportError) {
    self.checkpoint = checkpoint
    self.format = format
    var entries: [Entry] = []
    var sources: [String: Source] = [:]
    func add(_ entry: Entry, _ source: Source) {
      entries.append(entry)
      sources[entry.name] = source
    }
    let model = checkpoint.description
    let isSame = format == model.format
    let isConverted = format == .gguf && !isSame
    self.isConverted = isConverted
    if isConverted {
      for (name, values) in model.blueprint?.ggufRopeTensors ?? [] {
        let entry = Entry(
          name: name, typeName: ElementType.float32.rawValue, shape: [values.count],
          byteCount: 4 * values.count)
        add(entry, .constant(values))
      }
    }
    do throws(CheckpointError) {
      for tensor in model.tensors where tensor.role == nil {
        try checkpoint.checkFinite(tensor.name)
        let type = isConverted ? .float32 : try checkpoint.matrix(of: tensor.name).type
        let places: [(name: String, source: Source)] =
          format == .gguf && tensor.part == .expertGateUp
          ? tensor.ggufHalves.map { ($0.name, .half(tensor, isGate: $0.isGate)) }
          : [(tensor.storedName(in: format), .tensor(tensor))]
        let shape = tensor.shape(in: format, parts: places.count)
        let count = shape.reduce(1, *)
        guard let bytes = type.byteCount(elements: count) else { continue }
        for place in places {
          add(
            Entry(name: place.name, typeName: type.rawValue, shape: shape, byteCount: bytes),
            place.source)
        }
      }
    } catch {
      throw ExportError(error)
    }
    if isSame {
      for stored in checkpoint.unusedTensors {
        add(Entry(stored), .stored(stored))
      }
    }
    self.entries = entries
    self.sources = sources
  }

  /// A tensor's elements as the export has them.
  ///
  /// - Parameters:
  ///   - name: One of ``entries``.
  ///   - norms: Norms that took scales of layers back, by their names in the model, as they multiply.
  /// - Returns: The tensor in its place.
  /// - Throws: ``ExportError`` when it cannot be read.
  func encoded(_ name: String, norms: [String: [Float]]) throws(ExportError) -> EncodedTensor {
    guard let source = sources[name] else { throw .noPlace(for: name) }
    do throws(CheckpointError) {
      switch source {
      case .tensor(let tensor):
        return EncodedTensor(name: name, bytes: try bytes(of: tensor, changed: norms[tensor.name]))
      case .half(let tensor, let isGate):
        return EncodedTensor(name: name, bytes: try bytes(of: tensor, isGate: isGate))
      case .stored(let stored):
        try checkpoint.checkFinite(stored)
        return EncodedTensor(name: name, bytes: checkpoint.bytes(of: stored))
      case .constant(let values): return EncodedTensor(name: name, bytes: values.littleEndianBytes)
      }
    } catch {
      throw ExportError(error)
    }
  }

  /// Half the biases of each expert.
  private func bytes(of tensor: ModelTensor, isGate: Bool) throws(CheckpointError) -> [UInt8] {
    let values = try checkpoint.vector(named: tensor.name)
    let size = values.count / tensor.count
    let half = (0..<tensor.count).flatMap { expert in
      let start = expert * size + (isGate ? 0 : size / 2)
      return values[start..<start + size / 2]
    }
    return half.littleEndianBytes
  }

  private func bytes(
    of tensor: ModelTensor, changed: [Float]?
  ) throws(CheckpointError) -> [UInt8] {
    let matrix = try checkpoint.matrix(of: tensor.name)
    let isSame = format == checkpoint.description.format
    if changed == nil, isSame, !tensor.layout.alternates, case .stored(let stored) = matrix {
      return stored.bytes
    }
    var values = changed ?? matrix.decoded().values
    if tensor.layout.alternates { values = values.alternating(count: tensor.count) }
    // What a Hugging Face norm lacks is in GGUF, and in norms that were changed.
    let isWhole = changed != nil || checkpoint.description.format == .gguf
    if isWhole != (format == .gguf) {
      values = isWhole ? tensor.stored(values) : tensor.computed(values)
    }
    let type = isConverted ? .float32 : matrix.type
    if let place = type.firstOverflow(in: values) {
      throw CheckpointError(
        file: checkpoint.description.path, tensor: tensor.name,
        reason: "becomes \(values[place]) in the export, which overflows as \(type.rawValue)",
        hint: "choose a scheme that folds no scales into it")
    }
    guard format == .gguf, tensor.ggufOrder != .plain else { return values.bytes(as: type) }
    let columns = tensor.isVector ? 1 : tensor.shape[1]
    return StoredMatrix(
      copying: values.bytes(as: type), type: type, rows: values.count / columns, columns: columns
    ).bytes(in: tensor.ggufOrder)
  }
}

extension ModelTensor {
  /// The shape in a file where it is one of so many parts.
  fileprivate func shape(in format: CheckpointFormat, parts: Int) -> [Int] {
    if count > 1 { return [count, shape[0] / count / parts] + shape.dropFirst() }
    return storedShape(in: format)
  }

  /// The tensors that GGUF has for gates and ups that are one elsewhere.
  fileprivate var ggufHalves: [(name: String, isGate: Bool)] {
    let block = block.map { "blk.\($0)." } ?? ""
    let suffix = kind == .bias ? ".bias" : ".weight"
    return [
      (block + Part.expertGate.ggufName + suffix, true),
      (block + Part.expertUp.ggufName + suffix, false),
    ]
  }
}

extension Blueprint {
  /// The tensors that say in GGUF how RoPE is stretched, where its metadata have no words for it.
  var ggufRopeTensors: [(name: String, values: [Float])] {
    guard let rope = ropes.first else { return [] }
    switch rope.scaling {
    case .llama3, .listed, .proportional:
      return [("rope_freqs.weight", rope.divisors.map { Float($0) })]
    case .long(let rule):
      return [
        ("rope_factors_long.weight", rule.long.map { Float($0) }),
        ("rope_factors_short.weight", rule.short.map { Float($0) }),
      ]
    case .linear, .yarn, nil: return []
    }
  }
}
