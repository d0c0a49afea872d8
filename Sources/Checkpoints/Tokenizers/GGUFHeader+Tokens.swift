import Tensors

/// Lists in a GGUF file's metadata that are as long as a vocabulary, read in one go.
extension GGUFHeader {
  /// A list of strings as a vocabulary.
  func tokenTable(_ key: String) throws(CheckpointError) -> TokenTable {
    var table = TokenTable()
    try forEachString(key) { bytes, range in
      if table.isEmpty { table.reserveCapacity(tokens: 1 << 18, bytes: bytes.count) }
      table.append(bytes[range])
      return nil
    }
    guard String(validating: table.bytes, as: UTF8.self) != nil else {
      throw error("\(key) has text that is not valid UTF-8")
    }
    table.buildIndex()
    return table
  }

  /// A list of pairs of tokens, each two texts with a space between.
  func merges(
    _ key: String, of tokens: TokenTable
  ) throws(CheckpointError) -> [TokenizerDefinition.Merge] {
    var merges: [TokenizerDefinition.Merge] = []
    try forEachString(key) { bytes, range in
      // A token may begin with a space, but not be empty.
      guard let space = bytes[range].dropFirst().firstIndex(of: UInt8(ascii: " ")) else {
        return "which is not two tokens"
      }
      let (left, right) = (range.lowerBound..<space, space + 1..<range.upperBound)
      guard let merge = tokens.merge(of: left, and: right, in: bytes) else {
        return "which names a token that is not in the vocabulary"
      }
      merges.append(merge)
      return nil
    }
    return merges
  }

  /// Calls `body` with the bytes of each string in a list; a reason that it returns is an error.
  private func forEachString(
    _ key: String, _ body: (_ bytes: [UInt8], _ range: Range<Int>) -> String?
  ) throws(CheckpointError) {
    guard case .array(.string, let count, let range) = metadata[key] else {
      throw error("\(key) is missing or no list of strings")
    }
    let bytes = storage.bytes(in: range)
    var place = 0
    for _ in 0..<count {
      var length = 0
      for byte in bytes[place..<place + 8].reversed() { length = length << 8 | Int(byte) }
      let text = place + 8..<place + 8 + length
      place = text.upperBound
      if let reason = body(bytes, text) {
        throw error("\(key) has \"\(String(decoding: bytes[text], as: UTF8.self))\", \(reason)")
      }
    }
  }

  /// A list of 32-bit integers; nil if there is none.
  func int32s(_ key: String) throws(CheckpointError) -> [Int32]? {
    try list(key, of: [.int32, .uint32], "32-bit integers").map {
      storage.integers(in: $0, as: Int32.self)
    }
  }

  /// A list of single-precision numbers; nil if there is none.
  func float32s(_ key: String) throws(CheckpointError) -> [Float]? {
    try list(key, of: [.float32], "single-precision numbers").map {
      storage.integers(in: $0, as: UInt32.self).map { Float(bitPattern: $0) }
    }
  }

  /// A list of bytes; nil if there is none.
  func byteArray(_ key: String) throws(CheckpointError) -> [UInt8]? {
    try list(key, of: [.uint8, .int8], "bytes").map { storage.bytes(in: $0) }
  }

  /// Where a list of one of these types lies; nil if there is none.
  private func list(
    _ key: String, of types: [GGUFValueType], _ name: String
  ) throws(CheckpointError) -> Range<Int>? {
    guard let value = metadata[key] else { return nil }
    guard case .array(let type, _, let range) = value, types.contains(type) else {
      throw error("\(key) is no list of \(name)")
    }
    return range
  }
}
