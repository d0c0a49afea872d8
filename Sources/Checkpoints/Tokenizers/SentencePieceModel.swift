import Tensors

/// The pieces of a vocabulary in SentencePiece's own file, `tokenizer.model`.
///
/// Source: `sentencepiece_model.proto` of SentencePiece, a message in Protocol Buffers' wire format.
package struct SentencePieceModel: Hashable, Sendable {
  package struct Piece: Hashable, Sendable {
    package var text = ""
    /// Of BPE, minus the rank of the merge that makes it.
    package var score: Float = 0
    package var kind = GGUFTokenType.normal
  }

  /// By id.
  package private(set) var pieces: [Piece] = []
  /// Whether text is merged by scores, rather than cut into the likeliest pieces.
  package private(set) var mergesByScore = false

  /// BPE's number among the trainer's kinds of models.
  private static let bytePairs: UInt64 = 2

  /// Reads a file.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be read, or is no such message.
  package init(path: String) throws(CheckpointError) {
    let storage = try CheckpointFile.map(path)
    guard let model = Self(storage.bytes(in: 0..<storage.count)) else {
      throw CheckpointError(file: path, reason: "is no SentencePiece model")
    }
    self = model
  }

  /// Nil for bytes that are no such message.
  package init?(_ bytes: [UInt8]) {
    var message = Message(bytes[...])
    while let field = message.next() {
      switch field {
      case (1, .bytes(let bytes)):
        guard let piece = Piece(bytes) else { return nil }
        pieces.append(piece)
      case (2, .bytes(let bytes)):
        var trainer = Message(bytes)
        while let field = trainer.next() {
          if case (3, .number(let kind)) = field { mergesByScore = kind == Self.bytePairs }
        }
        guard trainer.isComplete else { return nil }
      default: continue
      }
    }
    guard message.isComplete, !pieces.isEmpty else { return nil }
  }

  /// The pieces' scores by the ids of other tokens; nil if these are not the pieces in their order.
  ///
  /// Tokens beyond the pieces, and those that no text becomes, have none: minus infinity.
  package func scores(of definition: TokenizerDefinition) -> [Double]? {
    let tokens = definition.tokens
    guard mergesByScore, pieces.count <= tokens.count else { return nil }
    var scores = Array(repeating: -Double.infinity, count: tokens.count)
    let added = Set(definition.addedTokens.map(\.id))
    for (id, piece) in pieces.enumerated() where !added.contains(id) {
      guard tokens[id].map({ Array($0.utf8) == Array(piece.text.utf8) }) ?? true else { return nil }
      if piece.kind == .normal || piece.kind == .unused { scores[id] = Double(piece.score) }
    }
    return scores
  }
}

extension SentencePieceModel.Piece {
  fileprivate init?(_ bytes: ArraySlice<UInt8>) {
    var message = Message(bytes)
    while let field = message.next() {
      switch field {
      case (1, .bytes(let text)):
        guard let text = String(validating: text, as: UTF8.self) else { return nil }
        self.text = text
      case (2, .word(let bits)): score = Float(bitPattern: bits)
      case (3, .number(let number)):
        guard let kind = Int32(exactly: number).flatMap(GGUFTokenType.init(rawValue:)) else {
          return nil
        }
        self.kind = kind
      default: continue
      }
    }
    guard message.isComplete else { return nil }
  }
}

/// The fields of a message, one after the other.
private struct Message {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
    /// Four bytes.
    case word(UInt32)
    /// Eight bytes, which nothing here is.
    case other
  }

  private var rest: ArraySlice<UInt8>
  private var isBroken = false

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// Whether all fields were read.
  var isComplete: Bool { rest.isEmpty && !isBroken }

  /// The next field's number and value; nil at the end, and where it is broken off.
  mutating func next() -> (number: UInt64, value: Value)? {
    guard !rest.isEmpty, let tag = varint(), let value = value(tag & 7) else {
      isBroken = isBroken || !rest.isEmpty
      return nil
    }
    return (tag >> 3, value)
  }

  private mutating func value(_ wireType: UInt64) -> Value? {
    switch wireType {
    case 0: return varint().map { .number($0) }
    case 1: return take(8).map { _ in .other }
    case 2: return varint().flatMap { take($0) }.map { .bytes($0) }
    case 5:
      return take(4).map { bytes in
        .word(bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
      }
    default: return broken()
    }
  }

  private mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
    guard count <= UInt64(rest.count) else { return broken() }
    defer { rest = rest.dropFirst(Int(count)) }
    return rest.prefix(Int(count))
  }

  /// A number in base 128, least digit first.
  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for digit in 0..<10 {
      guard let byte = rest.popFirst() else { break }
      value |= UInt64(byte & 0x7f) << UInt64(7 * digit)
      if byte < 0x80 { return value }
    }
    return broken()
  }

  private mutating func broken<Result>() -> Result? {
    isBroken = true
    return nil
  }
}
