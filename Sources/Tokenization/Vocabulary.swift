import Checkpoints

/// The tokens' bytes by id, and the ids by bytes.
struct Vocabulary: Sendable {
  /// Empty for ids that are not used.
  let bytes: [[UInt8]]
  let specialTokens: Set<Int>
  /// Added tokens are left out where an ordinary token has the same bytes.
  private var ids: [[UInt8]: UInt32] = [:]
  /// By byte.
  private(set) var byteTokens: [UInt32?] = []

  init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    let added = definition.addedTokens
    for token in added where !definition.tokens.indices.contains(token.id) {
      throw TokenizerError(
        source: definition.source, reason: "the added token \(token.id) is not in the vocabulary")
    }
    var bytes = definition.tokens.map { $0.map(ByteAlphabet.bytes) ?? [] }
    let addedIDs = Set(added.map(\.id))
    for token in added { bytes[token.id] = Array(token.text.utf8) }
    ids.reserveCapacity(bytes.count)
    for (id, token) in bytes.enumerated() where !token.isEmpty && !addedIDs.contains(id) {
      ids[token] = UInt32(id)
    }
    for id in addedIDs where ids[bytes[id]] == nil { ids[bytes[id]] = UInt32(id) }
    self.bytes = bytes
    specialTokens = Set(added.filter(\.isSpecial).map(\.id))
    byteTokens = (UInt8.min...UInt8.max).map { ids[[$0]] }
  }

  /// The id of the token with these bytes.
  func id(of bytes: [UInt8]) -> UInt32? { ids[bytes] }

  /// The definition's merges by ids.
  func mergeTable(_ definition: TokenizerDefinition) throws(TokenizerError) -> MergeTable {
    var table = MergeTable()
    table.reserveCapacity(definition.merges.count)
    for (rank, merge) in definition.merges.enumerated() {
      let (left, right) = (ByteAlphabet.bytes(of: merge.left), ByteAlphabet.bytes(of: merge.right))
      guard let leftID = ids[left], let rightID = ids[right], let result = ids[left + right] else {
        throw TokenizerError(
          source: definition.source,
          reason: "the merge \(rank) (\"\(merge.left)\" and \"\(merge.right)\") names a token that"
            + " is not in the vocabulary")
      }
      table.add(leftID, rightID, MergeTable.Merge(rank: UInt32(rank), result: result))
    }
    return table
  }
}
