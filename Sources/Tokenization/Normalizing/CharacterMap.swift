/// SentencePiece's compiled table of replacements: a double-array trie of what is replaced, and the texts that replace it.
///
/// The trie is that of darts-clone (https://github.com/s-yata/darts-clone): units of 32 bits with a label, a bit that says
/// whether a key ends there, and the offset of the children, which lie at that offset exclusive-or their byte.
struct CharacterMap: Sendable {
  private let units: [UInt32]
  /// Texts that each end in a zero byte.
  private let texts: [UInt8]

  /// Reads the bytes of a `precompiled_charsmap`; nil if they are damaged.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 4 else { return nil }
    let size = Int(Self.unit(in: bytes, at: 0))
    guard size > 0, size % 4 == 0, size <= bytes.count - 4, bytes.last == 0 else { return nil }
    units = stride(from: 4, to: 4 + size, by: 4).map { Self.unit(in: bytes, at: $0) }
    texts = Array(bytes[(4 + size)...])
  }

  private static func unit(in bytes: [UInt8], at place: Int) -> UInt32 {
    bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The text with the longest replaceable part at each place replaced.
  func replace(in bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var place = 0
    while place < bytes.count {
      if let (count, text) = longestMatch(in: bytes, at: place) {
        result += texts[text...].prefix { $0 != 0 }
        place += count
      } else {
        repeat {
          result.append(bytes[place])
          place += 1
        } while place < bytes.count && bytes[place] & 0xc0 == 0x80
      }
    }
    return result
  }

  private func longestMatch(in bytes: [UInt8], at start: Int) -> (count: Int, text: Int)? {
    var best: (Int, Int)?
    var node = Self.offset(units[0])
    for place in start..<bytes.count {
      node ^= Int(bytes[place])
      guard bytes[place] != 0, units.indices.contains(node), units[node] & 0x8000_00ff == UInt32(bytes[place]) else {
        break
      }
      let hasValue = units[node] >> 8 & 1 == 1
      node ^= Self.offset(units[node])
      guard units.indices.contains(node) else { break }
      let text = Int(units[node] & 0x7fff_ffff)
      if hasValue, text < texts.count { best = (place + 1 - start, text) }
    }
    return best
  }

  private static func offset(_ unit: UInt32) -> Int {
    Int(unit >> 10) << Int((unit & 1 << 9) >> 6)
  }
}
