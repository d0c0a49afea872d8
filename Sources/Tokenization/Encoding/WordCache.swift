import Checkpoints

/// The ids of words that were encoded before.
struct WordCache: Sendable {
  /// Longest word in bytes, and most words, that are remembered.
  private static let limits = (bytes: 64, words: 1 << 16)

  private var index = ByteIndex()
  /// The words one after the other, and their ids.
  private var bytes: [UInt8] = []
  private var ids: [UInt32] = []
  private var words: [(bytes: Range<Int>, ids: Range<Int>)] = []

  /// Appends the ids of the word in `range` of `text`, which `encode` says if they are not known.
  @inline(__always)
  mutating func append(
    _ text: [UInt8], _ range: Range<Int>, to result: inout [Int], _ encode: (inout [UInt32]) -> Void
  ) {
    let isShort = range.count <= Self.limits.bytes
    let hash = isShort ? index.hash(text, range) : 0
    if isShort {
      let known = index.find(hash: hash) { number in
        let own = words[number].bytes
        guard own.count == range.count else { return false }
        for offset in 0..<own.count
        where bytes[own.lowerBound + offset] != text[range.lowerBound + offset] { return false }
        return true
      }
      if let known {
        for place in words[known].ids { result.append(Int(ids[place])) }
        return
      }
    }
    let start = ids.count
    encode(&ids)
    for place in start..<ids.count { result.append(Int(ids[place])) }
    if isShort, words.count < Self.limits.words {
      let place = bytes.count
      bytes += text[range]
      words.append((place..<bytes.count, start..<ids.count))
      index.insert(words.count - 1, hash: hash)
    } else {
      ids.removeLast(ids.count - start)
    }
  }
}
