import Checkpoints
import Foundation

/// Changes text as a tokenizer's normalizers do before it is cut into words.
struct TextNormalizer: Sendable {
  private enum Step: Sendable {
    case simple(Normalization)
    case pattern(Pattern, with: [UInt8])
    case map(CharacterMap)
  }

  private let steps: [Step]
  var isIdentity: Bool { steps.isEmpty }
  /// Whether the parts of a text that is cut before a line feed come to what the whole comes to.
  var keepsEnds: Bool {
    steps.allSatisfy { step in
      switch step {
      case .pattern, .simple(.strip), .simple(.replacePattern): false
      case .simple, .map: true
      }
    }
  }

  /// - Throws: ``TokenizerError`` that names a pattern or a table which is not read.
  init(_ normalizations: [Normalization], source: String) throws(TokenizerError) {
    var steps: [Step] = []
    for step in normalizations {
      switch step {
      case .replacePattern(let text, let content):
        do {
          steps.append(.pattern(try Pattern(text), with: Array(content.utf8)))
        } catch {
          throw TokenizerError(
            source: source,
            reason: "normalizes text by a pattern that \(error.reason): \(text.prefix(300))")
        }
      case .characterMap(let bytes):
        guard let map = CharacterMap(bytes) else {
          throw TokenizerError(source: source, reason: "has a precompiled_charsmap that is damaged")
        }
        steps.append(.map(map))
      default: steps.append(.simple(step))
      }
    }
    self.steps = steps
  }

  /// The normalized text; one that goes on a longer text gets nothing before it and keeps its first space.
  func normalize(_ bytes: [UInt8], continues: Bool = false) -> [UInt8] {
    steps.reduce(bytes) { bytes, step in
      switch step {
      case .map(let map): map.replace(in: bytes)
      case .pattern(let pattern, let content): Self.replace(pattern, in: bytes, with: content)
      case .simple(let normalization): Self.apply(normalization, to: bytes, continues)
      }
    }
  }

  private static func apply(
    _ step: Normalization, to bytes: [UInt8], _ continues: Bool
  ) -> [UInt8] {
    switch step {
    case .prepend(let text): return continues || bytes.isEmpty ? bytes : Array(text.utf8) + bytes
    case .replace(let old, let new):
      return replace(Array(old.utf8), in: bytes, with: Array(new.utf8))
    case .nfc: return composed(bytes, from: 0xcc) { $0.precomposedStringWithCanonicalMapping }
    case .nfd: return composed(bytes, from: 0xc3) { $0.decomposedStringWithCanonicalMapping }
    case .nfkc: return composed(bytes, from: 0xc2) { $0.precomposedStringWithCompatibilityMapping }
    case .nfkd: return composed(bytes, from: 0xc2) { $0.decomposedStringWithCompatibilityMapping }
    case .lowercase: return mapped(bytes) { $0.properties.lowercaseMapping }
    case .stripAccents:
      return mapped(bytes) { ScalarKinds(of: $0).isDisjoint(with: .marks) ? String($0) : "" }
    case .nmt: return mapped(bytes, cleaned)
    case .strip(let left, let right): return stripped(bytes, left: left && !continues, right: right)
    case .replacePattern, .characterMap: return bytes
    }
  }

  // MARK: - Replacing

  /// The bytes with every occurrence of some replaced by others, from the left.
  static func replace(_ old: [UInt8], in bytes: [UInt8], with new: [UInt8]) -> [UInt8] {
    guard let first = old.first else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 2)
    var place = 0
    while place < bytes.count {
      if bytes[place] == first, bytes[place...].starts(with: old) {
        result += new
        place += old.count
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return result
  }

  private static func replace(
    _ pattern: Pattern, in bytes: [UInt8], with content: [UInt8]
  ) -> [UInt8] {
    var matcher = PatternMatcher(pattern, in: TextScanner(bytes), bytes.indices)
    var (result, start): ([UInt8], Int) = ([], 0)
    while let match = matcher.firstMatch(from: start), !match.isEmpty {
      result += bytes[start..<match.lowerBound] + content
      start = match.upperBound
    }
    return result + bytes[start...]
  }

  private static func mapped(
    _ bytes: [UInt8], _ map: (Unicode.Scalar) -> String
  ) -> [UInt8] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.flatMap { map($0).utf8 }
  }

  private static func stripped(_ bytes: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
    if left { scalars = scalars.drop { $0.properties.isWhitespace } }
    while right, scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
    return Array(String(scalars).utf8)
  }

  // MARK: - Unicode

  /// One of Unicode's normal forms, which leave text alone whose bytes are all below `first`.
  private static func composed(
    _ bytes: [UInt8], from first: UInt8, _ form: (String) -> String
  ) -> [UInt8] {
    bytes.allSatisfy { $0 < first }
      ? bytes : Array(form(String(decoding: bytes, as: UTF8.self)).utf8)
  }

  /// What SentencePiece's clean-up makes of a scalar.
  private static func cleaned(_ scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0x01...0x08, 0x0b, 0x0e...0x1f, 0x7f, 0x8f, 0x9f: ""
    case 0x09, 0x0a, 0x0c, 0x0d, 0x1680, 0x200b...0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd:
      " "
    default: String(scalar)
    }
  }
}
