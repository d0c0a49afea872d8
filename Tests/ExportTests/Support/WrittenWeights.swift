@testable import Checkpoints
import Compression
import Tensors
import Testing

/// The tensors of safetensors files, decoded by the book from what compressed-tensors' documentation says.
struct WrittenWeights {
  private let storages: [ByteStorage]
  private let entries: [String: TensorEntry]

  /// Reads files one after the other; fails where two hold one tensor.
  init(_ files: [(name: String, bytes: [UInt8])]) throws {
    var entries: [String: TensorEntry] = [:]
    storages = files.map { ByteStorage(copying: $0.bytes) }
    for (number, file) in files.enumerated() {
      for entry in try SafetensorsHeader.read(storages[number], name: file.name, file: number) {
        #expect(entries.updateValue(entry, forKey: entry.name) == nil, "\(entry.name) twice")
        // Readers map tensors where they lie.
        #expect(entry.offset % (entry.type?.bytesPerBlock ?? 1) == 0, "\(entry.name)")
      }
    }
    self.entries = entries
  }

  var names: Set<String> { Set(entries.keys) }

  func shape(of name: String) -> [Int]? { entries[name]?.shape }

  func type(of name: String) -> String? { entries[name]?.typeName }

  func bytes(of name: String) throws -> [UInt8] {
    let entry = try #require(entries[name], "\(name)")
    return storages[entry.file].bytes(in: entry.offset..<entry.offset + entry.byteCount)
  }

  /// The numbers of a float tensor.
  func values(of name: String) throws -> [Float] {
    let entry = try #require(entries[name], "\(name)")
    let type = try #require(entry.type)
    let count = entry.shape.reduce(1, *)
    return StoredMatrix(copying: try bytes(of: name), type: type, rows: 1, columns: count)
      .decoded().values
  }

  /// The weights of a layer, whatever it is stored as; `bits` are those of its config group.
  func weights(of layer: String, bits: Int?) throws -> [Float] {
    guard let bits else { return try values(of: "\(layer).weight") }
    let scales = try values(of: "\(layer).weight_scale")
    let groups = try #require(shape(of: "\(layer).weight_scale")).last ?? 1
    if names.contains("\(layer).weight") {
      let codes = try bytes(of: "\(layer).weight").map { Float(Int8(bitPattern: $0)) }
      let columns = codes.count / scales.count
      return codes.enumerated().map { $1 * scales[$0 / columns] }
    }
    let sizes = try bytes(of: "\(layer).weight_shape").chunks(of: 8).map(Self.integer)
    let (rows, columns) = (sizes[0], sizes[1])
    let words = try bytes(of: "\(layer).weight_packed").chunks(of: 4).map(Self.integer)
    let codes = Self.rows(of: words, rows: rows, columns: columns, bits: bits)
    var zeros = Array(repeating: 1 << (bits - 1), count: rows * groups)
    if names.contains("\(layer).weight_zero_point") {
      let packed = try bytes(of: "\(layer).weight_zero_point").chunks(of: 4).map(Self.integer)
      let wordsPerColumn = packed.count / groups
      // The packed dimension is that of the rows: turned round, it is packed as codes are.
      let turned = (0..<groups).flatMap { group in
        (0..<wordsPerColumn).map { packed[$0 * groups + group] }
      }
      let columnwise = Self.rows(of: turned, rows: groups, columns: rows, bits: bits)
      for row in 0..<rows {
        for group in 0..<groups { zeros[row * groups + group] = columnwise[group * rows + row] }
      }
    }
    return codes.enumerated().map { place, code in
      let group = place / columns * groups + place % columns / (columns / groups)
      return Float(code - zeros[group]) * scales[group]
    }
  }

  /// Codes of `bits` bits, least significant first, each row in whole words.
  private static func rows(of words: [Int], rows: Int, columns: Int, bits: Int) -> [Int] {
    let width = words.count / rows
    return (0..<rows).flatMap { row in
      (0..<columns).map { column in
        (0..<bits).reduce(0) { code, bit in
          let place = column * bits + bit
          return code | (words[row * width + place / 32] >> (place % 32) & 1) << bit
        }
      }
    }
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}

extension [UInt8] {
  fileprivate func chunks(of size: Int) -> [ArraySlice<UInt8>] {
    stride(from: 0, to: count, by: size).map { self[$0..<$0 + size] }
  }
}
