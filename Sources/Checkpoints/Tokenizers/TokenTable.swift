/// A vocabulary's tokens by id, and their ids by text.
///
/// All texts lie in one block of bytes, so that a quarter of a million of them are read without as many allocations. An
/// id that is not used has no text.
public struct TokenTable: RandomAccessCollection, Sendable {
  /// The UTF-8 of all tokens, one after the other.
  package private(set) var bytes: [UInt8] = []
  /// Where the bytes of each token end.
  private var ends: [UInt32] = []
  private var index = ByteIndex()

  public init() {}

  /// Takes texts in the order of their ids; nil and empty ones are ids that are not used.
  public init(_ texts: some Sequence<String?>) {
    for text in texts { append((text ?? "").utf8) }
    buildIndex()
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { ends.count }

  /// The text of a token; nil for an id that is not used.
  public subscript(id: Int) -> String? {
    let range = byteRange(of: id)
    return range.isEmpty ? nil : String(decoding: bytes[range], as: UTF8.self)
  }

  /// Where a token's text lies in ``bytes``.
  package func byteRange(of id: Int) -> Range<Int> {
    (id == 0 ? 0 : Int(ends[id - 1]))..<Int(ends[id])
  }

  /// A text that two ids have; nil if there is none.
  var repeatedText: String? {
    let used = indices.filter { !byteRange(of: $0).isEmpty }
    guard index.count < used.count else { return nil }
    return used.first { id(of: bytes, in: byteRange(of: $0)) != $0 }.flatMap { self[$0] }
  }

  /// The id of the token with this text; of several the last.
  public func id(of text: String) -> Int? {
    let key = Array(text.utf8)
    return id(of: key, in: key.indices)
  }

  /// The id of the token whose text is `range` of `key`.
  package func id(of key: [UInt8], in range: Range<Int>) -> Int? {
    id(of: key, in: range, hash: index.hash(key, range))
  }

  private func id(
    of key: [UInt8], in range: Range<Int>, and rest: Range<Int> = 0..<0, hash: UInt64
  ) -> Int? {
    index.find(hash: hash) { entry in
      let own = byteRange(of: entry)
      guard own.count == range.count + rest.count else { return false }
      var mine = own.lowerBound
      for other in range {
        if bytes[mine] != key[other] { return false }
        mine += 1
      }
      for other in rest {
        if bytes[mine] != key[other] { return false }
        mine += 1
      }
      return true
    }
  }
}

// MARK: - Building

extension TokenTable {
  package mutating func reserveCapacity(tokens: Int, bytes: Int) {
    ends.reserveCapacity(tokens)
    self.bytes.reserveCapacity(bytes)
  }

  /// Adds the token of the next id; ``buildIndex()`` must follow.
  package mutating func append(_ text: some Sequence<UInt8>) {
    bytes.append(contentsOf: text)
    ends.append(UInt32(truncatingIfNeeded: bytes.count))
  }

  /// Adds the token of the next id, which ``id(of:)`` finds from then on if it finds those before.
  package mutating func appendIndexed(_ text: some Sequence<UInt8>) {
    append(text)
    let id = count - 1
    let range = byteRange(of: id)
    if !range.isEmpty { add(id, range) }
  }

  /// Makes ``id(of:)`` find the tokens that are there now.
  package mutating func buildIndex() {
    index = ByteIndex(capacity: count)
    for id in indices {
      let range = byteRange(of: id)
      if !range.isEmpty { add(id, range) }
    }
  }

  private mutating func add(_ id: Int, _ range: Range<Int>) {
    let hash = index.hash(bytes, range)
    index.insert(id, hash: hash, replacing: self.id(of: bytes, in: range, hash: hash))
  }
}

extension TokenTable: Hashable {
  public static func == (left: TokenTable, right: TokenTable) -> Bool {
    left.ends == right.ends && left.bytes == right.bytes
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(ends)
    hasher.combine(bytes)
  }
}

extension TokenTable {
  /// The merge of the tokens whose texts are two ranges of `text`; nil if they, or what they make, are no tokens.
  func merge(
    of first: Range<Int>, and second: Range<Int>, in text: [UInt8]
  ) -> TokenizerDefinition.Merge? {
    guard let left = id(of: text, in: first), let right = id(of: text, in: second),
      let result = id(
        of: text, in: first, and: second, hash: index.hash(text, first, and: second))
    else { return nil }
    return TokenizerDefinition.Merge(
      left: UInt32(left), right: UInt32(right), result: UInt32(result))
  }
}
