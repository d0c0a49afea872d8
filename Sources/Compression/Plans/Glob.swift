/// A shell pattern over whole names: `*` any characters, `?` one, `[a-c]` one of, `[!a]` none of.
struct Glob: Sendable {
  private enum Piece: Sendable {
    case literal(Unicode.Scalar)
    case any
    case star
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

    func matches(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .literal(let literal): literal == scalar
      case .any: true
      case .star: false
      case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
      }
    }
  }

  private var pieces: [Piece] = []

  /// Nil when a bracket is never closed, or a range inside it runs backwards.
  init?(_ text: String) {
    var rest = Substring(text).unicodeScalars
    while let scalar = rest.popFirst() {
      switch scalar {
      case "*": pieces.append(.star)
      case "?": pieces.append(.any)
      case "[":
        guard let set = Self.set(&rest) else { return nil }
        pieces.append(set)
      default: pieces.append(.literal(scalar))
      }
    }
  }

  private static func set(_ rest: inout Substring.UnicodeScalarView) -> Piece? {
    let isNegated = rest.first == "!"
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while let scalar = rest.popFirst() {
      // As in shells, a bracket that comes first stands for itself.
      if scalar == "]", !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
      let second = rest.dropFirst().first
      guard rest.first == "-", let upper = second, upper != "]" else {
        ranges.append(scalar...scalar)
        continue
      }
      guard scalar <= upper else { return nil }
      ranges.append(scalar...upper)
      rest.removeFirst(2)
    }
    return nil
  }

  /// Whether the whole name matches; takes at most pattern times name steps, which it adds to `work`.
  func matches(_ name: String, work: inout Int) -> Bool {
    let scalars = Array(name.unicodeScalars)
    var place = 0
    var piece = 0
    var retry: (piece: Int, place: Int)?
    while place < scalars.count {
      work += 1
      if piece < pieces.count, case .star = pieces[piece] {
        retry = (piece + 1, place)
        piece += 1
      } else if piece < pieces.count, pieces[piece].matches(scalars[place]) {
        piece += 1
        place += 1
      } else if let (next, start) = retry {
        retry = (next, start + 1)
        piece = next
        place = start + 1
      } else {
        return false
      }
    }
    return pieces[piece...].allSatisfy { if case .star = $0 { true } else { false } }
  }
}
