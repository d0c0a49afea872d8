import Checkpoints

/// What tokens stand for, and which token stands for a text.
struct Vocabulary: Sendable {
  let table: TokenTable
  let specialTokens: Set<Int>
  /// By byte: the token that writes it alone.
  let byteTokens: [UInt32?]
  private let model: TokenizerDefinition.Model
  private let addedTokens: [Int: String]
  private let marksSpaces: Bool

  init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    table = definition.tokens
    model = definition.model
    marksSpaces = definition.marksSpaces
    for token in definition.addedTokens where !table.indices.contains(token.id) {
      throw TokenizerError(
        source: definition.source, reason: "the added token \(token.id) is not in the vocabulary")
    }
    addedTokens = Dictionary(
      definition.addedTokens.map { ($0.id, $0.text) }, uniquingKeysWith: { $1 })
    specialTokens = Set(definition.addedTokens.filter(\.isSpecial).map(\.id))
    let spelling: (UInt8) -> [UInt8] =
      switch definition.model {
      case .bytePairs: { ByteAlphabet.spelling(of: [$0]) }
      case .sentencePiece, .unigram: { Array(Self.name(of: $0).utf8) }
      }
    byteTokens = (UInt8.min...UInt8.max).map { byte in
      let key = spelling(byte)
      return definition.tokens.id(of: key, in: key.indices).map { UInt32($0) }
    }
  }

  private static func name(of byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
  }

  /// The bytes that a token stands for in text.
  func bytes(of id: Int) -> [UInt8] {
    guard table.indices.contains(id) else { return [] }
    let text = table.bytes[table.byteRange(of: id)]
    if model == .bytePairs {
      return addedTokens[id].map { Array($0.utf8) } ?? ByteAlphabet.bytes(of: text)
    }
    if let byte = TokenizerDefinition.byte(of: text) { return [byte] }
    guard marksSpaces else { return Array(text) }
    return TextNormalizer.replace(
      SpaceMark.bytes, in: Array(text), with: [UInt8(ascii: " ")])
  }

  /// The token that a whole word is; none that is a control token.
  func token(of word: [UInt8], in range: Range<Int>) -> UInt32? {
    let id: Int?
    if model == .bytePairs {
      let key = ByteAlphabet.spelling(of: word[range])
      id = table.id(of: key, in: key.indices)
    } else {
      id = table.id(of: word, in: range)
    }
    return id.flatMap { specialTokens.contains($0) ? nil : UInt32($0) }
  }
}
