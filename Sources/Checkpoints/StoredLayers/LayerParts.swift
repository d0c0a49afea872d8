import Tensors
import JSON

/// The tensors that make one quantized layer, by what they are to it.
struct LayerParts: Sendable {
  /// The layer's name.
  let layer: String
  /// Tensors' names, also of parts that the checkpoint has not.
  private let names: [String: String]
  private let entries: [String: TensorEntry]
  private let table: TensorTable

  /// Finds the parts of a layer that the checkpoint has.
  ///
  /// - Parameters:
  ///   - layer: The layer's name.
  ///   - names: For each part, how its tensor is called.
  ///   - table: The tensors of the checkpoint.
  init(of layer: String, names: [String: String], in table: TensorTable) {
    self.layer = layer
    self.names = names
    self.table = table
    entries = names.compactMapValues { table[$0] }
  }

  /// Finds parts whose tensors are called like the layer and, after a dot, the part.
  init(of layer: String, _ parts: [String], in table: TensorTable) {
    let names = parts.map { ($0, "\(layer).\($0)") }
    self.init(of: layer, names: Dictionary(uniqueKeysWithValues: names), in: table)
  }

  subscript(part: String) -> TensorEntry? { entries[part] }

  /// As the files name them.
  var tensorNames: [String] { entries.values.map(\.name) }
  /// Bytes of all of them.
  var byteCount: Int { entries.values.reduce(0) { $0 + $1.byteCount } }

  func error(_ part: String, _ reason: String, hint: String? = nil) -> CheckpointError {
    CheckpointError(
      file: entries[part].map { table.files[$0.file] } ?? table.name,
      tensor: names[part] ?? "\(layer).\(part)", reason: reason, hint: hint)
  }

  /// The elements of a part, or the first of them, as integers of their width, which was checked.
  func elements<Element: FixedWidthInteger>(
    of part: String, first count: Int? = nil, as type: Element.Type
  ) -> [Element] {
    guard let entry = entries[part] else { return [] }
    let bytes = min(count.map { $0 * MemoryLayout<Element>.size } ?? .max, entry.byteCount)
    return table.storages[entry.file].integers(in: entry.offset..<entry.offset + bytes, as: type)
  }

  /// The elements of a part of plain floats as numbers.
  func numbers(of part: String) -> [Float] {
    switch entries[part]?.type {
    case .float32: elements(of: part, as: UInt32.self).map { Float(bitPattern: $0) }
    case .some(let type) where type.isHalf: type.widened(elements(of: part, as: UInt16.self))
    default: []
    }
  }
}

// MARK: - Checks

extension LayerParts {
  /// A part that must be there, of one of `types`, which are named as safetensors names them.
  func required(_ part: String, _ types: [String]) throws(CheckpointError) -> TensorEntry {
    guard let entry = entries[part] else {
      throw error(
        part, "is missing, though other tensors of this layer are there",
        hint: "get the complete model from its source")
    }
    guard types.contains(entry.typeName) else {
      throw error(part, "is of type \(entry.typeName), not \(types.joined(separator: " or "))")
    }
    guard Self.size(of: entry) == entry.byteCount, entry.byteCount > 0 else {
      throw error(part, "is \(entry.shape) of \(entry.typeName) in \(entry.byteCount) bytes")
    }
    return entry
  }

  /// Bytes that a part's shape takes, also for types that no weights have.
  private static func size(of entry: TensorEntry) -> Int? {
    let widths = ["U32": ElementType.float32, "F8_E8M0": .uint8]
    return (entry.type ?? widths[entry.typeName]).flatMap {
      TensorEntry.byteCount($0, entry.shape)
    }
  }

  /// Checks a part's type and shape, in which sizes of 1 do not count.
  func check(_ part: String, _ type: String, _ shape: [Int]) throws(CheckpointError) {
    let entry = try required(part, [type])
    guard entry.shape.filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) else {
      throw error(
        part, "is \(entry.shape), where the layer's other tensors make it \(shape)",
        hint: "check that the configuration belongs to these weights")
    }
  }

  /// Checks what a layer's tensors make against what the model's configuration makes.
  ///
  /// - Parameters:
  ///   - part: The tensor that tells the shape.
  ///   - rows: Those that the tensors make.
  ///   - columns: Those that the tensors make.
  ///   - shape: What the configuration makes, the last size being the columns; nil if it says nothing.
  /// - Throws: ``CheckpointError`` when they differ.
  func check(
    _ part: String, rows: Int, columns: Int, against shape: [Int]?
  ) throws(CheckpointError) {
    guard let shape, let last = shape.last else { return }
    guard shape.dropLast().reduce(1, *) == rows, last == columns else {
      throw error(
        part, "makes a layer of \([rows, columns]), where the configuration makes it \(shape)",
        hint: "check that the configuration belongs to these weights")
    }
  }
}

extension ElementType {
  /// Whether this is one of the 16-bit floats.
  var isHalf: Bool { self == .float16 || self == .bfloat16 }

  /// What PyTorch calls `name`: `bfloat16` or `torch.bfloat16`; nil for types that no weights are decoded to.
  init?(torch name: String?) {
    switch name?.split(separator: ".").last {
    case "float16", "half": self = .float16
    case "bfloat16": self = .bfloat16
    case "float32", "float": self = .float32
    default: return nil
    }
  }
}

extension JSONFile {
  /// The type of the model's weights where they are not quantized.
  func weightType() throws(CheckpointError) -> ElementType? {
    ElementType(torch: try text(ofFirst: ["dtype", "torch_dtype"]))
  }

  /// The text of the first of `keys` that has one.
  func text(ofFirst keys: [String]) throws(CheckpointError) -> String? {
    for key in keys {
      if let text = try text(key) { return text }
    }
    return nil
  }
}
