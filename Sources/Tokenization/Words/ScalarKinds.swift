/// What patterns tell scalars apart by: a bit for the general category, and bits for white space and line ends.
struct ScalarKinds: OptionSet, Hashable, Sendable {
  let rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }

  init(_ category: Unicode.GeneralCategory) { rawValue = 1 << UInt32(Self.number(of: category)) }

  /// Unicode's property Alphabetic: letters and whatever is used as one.
  static let alphabetic = ScalarKinds(rawValue: 1 << 27)
  static let space = ScalarKinds(rawValue: 1 << 30)
  /// Carriage return and line feed.
  static let lineEnd = ScalarKinds(rawValue: 1 << 31)

  static let upper = ScalarKinds(.uppercaseLetter)
  static let title = ScalarKinds(.titlecaseLetter)
  static let lower = ScalarKinds(.lowercaseLetter)
  static let uncased: ScalarKinds = [ScalarKinds(.modifierLetter), ScalarKinds(.otherLetter)]
  static let letters: ScalarKinds = [.upper, .title, .lower, .uncased]
  static let marks: ScalarKinds = [
    ScalarKinds(.nonspacingMark), ScalarKinds(.spacingMark), ScalarKinds(.enclosingMark),
  ]
  static let numbers: ScalarKinds = [
    ScalarKinds(.decimalNumber), ScalarKinds(.letterNumber), ScalarKinds(.otherNumber),
  ]
  static let punctuation: ScalarKinds = [
    ScalarKinds(.connectorPunctuation), ScalarKinds(.dashPunctuation),
    ScalarKinds(.openPunctuation), ScalarKinds(.closePunctuation),
    ScalarKinds(.initialPunctuation), ScalarKinds(.finalPunctuation),
    ScalarKinds(.otherPunctuation),
  ]
  static let symbols: ScalarKinds = [
    ScalarKinds(.mathSymbol), ScalarKinds(.currencySymbol), ScalarKinds(.modifierSymbol),
    ScalarKinds(.otherSymbol),
  ]

  /// The kinds of a scalar.
  init(of scalar: Unicode.Scalar) {
    let properties = scalar.properties
    var kinds = ScalarKinds(properties.generalCategory)
    if properties.isAlphabetic { kinds.insert(.alphabetic) }
    if properties.isWhitespace { kinds.insert(.space) }
    if scalar == "\n" || scalar == "\r" { kinds.insert(.lineEnd) }
    self = kinds
  }

  private static func number(of category: Unicode.GeneralCategory) -> UInt8 {
    switch category {
    case .uppercaseLetter: 0
    case .lowercaseLetter: 1
    case .titlecaseLetter: 2
    case .modifierLetter: 3
    case .otherLetter: 4
    case .nonspacingMark: 5
    case .spacingMark: 6
    case .enclosingMark: 7
    case .decimalNumber: 8
    case .letterNumber: 9
    case .otherNumber: 10
    case .connectorPunctuation: 11
    case .dashPunctuation: 12
    case .openPunctuation: 13
    case .closePunctuation: 14
    case .initialPunctuation: 15
    case .finalPunctuation: 16
    case .otherPunctuation: 17
    case .mathSymbol: 18
    case .currencySymbol: 19
    case .modifierSymbol: 20
    case .otherSymbol: 21
    case .spaceSeparator: 22
    case .lineSeparator: 23
    case .paragraphSeparator: 24
    case .control: 25
    case .format: 26
    // No text holds half a pair; its bit is that of letters in the widest sense.
    case .surrogate: 29
    case .privateUse: 28
    case .unassigned: 29
    @unknown default: 29
    }
  }

  /// The kinds of the scalars below U+20000, which nearly all text is made of; asking Unicode's tables takes ten times as long.
  static let table: [ScalarKinds] = (0..<UInt32(0x20000)).map { value in
    Unicode.Scalar(value).map { ScalarKinds(of: $0) } ?? ScalarKinds(.surrogate)
  }
}

/// Reads the scalars of a text held as UTF-8.
struct TextScanner {
  /// Valid UTF-8.
  let bytes: [UInt8]
  private let kinds = ScalarKinds.table

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The scalar that starts at byte `index`, and the index behind it.
  @inline(__always)
  func value(at index: Int) -> (value: UInt32, end: Int) {
    let lead = bytes[index]
    if lead < 0x80 { return (UInt32(lead), index + 1) }
    let length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    var value = UInt32(lead) & (0x7f >> UInt32(length))
    // A piece that was cut between bytes of one character must not lead out of the text.
    let end = min(index + length, bytes.count)
    for place in index + 1..<end { value = value << 6 | UInt32(bytes[place] & 0x3f) }
    return (value, end)
  }

  /// Kinds of the scalar that starts at byte `index`, and the index behind it.
  @inline(__always)
  func scalar(at index: Int) -> (kinds: ScalarKinds, end: Int) {
    let (value, end) = value(at: index)
    return (kinds(of: value), end)
  }

  @inline(__always)
  func kinds(of value: UInt32) -> ScalarKinds {
    if value < 0x20000 { return kinds[Int(value)] }
    return Unicode.Scalar(value).map { ScalarKinds(of: $0) } ?? ScalarKinds(.unassigned)
  }

  /// The end of the run of scalars of some of these kinds that starts at `index`.
  @inline(__always)
  func endOfRun(of kinds: ScalarKinds, from index: Int, to end: Int) -> Int {
    var place = index
    while place < end {
      let next = scalar(at: place)
      guard !next.kinds.isDisjoint(with: kinds) else { break }
      place = next.end
    }
    return place
  }

  /// The end of the run of scalars of none of these kinds that starts at `index`.
  @inline(__always)
  func endOfRun(ofNone kinds: ScalarKinds, from index: Int, to end: Int) -> Int {
    var place = index
    while place < end {
      let next = scalar(at: place)
      guard next.kinds.isDisjoint(with: kinds) else { break }
      place = next.end
    }
    return place
  }

  /// A run of white space: its end, where its last scalar starts, and the end of its last line end.
  func spaces(from index: Int, to end: Int) -> (end: Int, last: Int, lineEnd: Int?) {
    var (place, last) = (index, index)
    var lineEnd: Int?
    while place < end {
      let next = scalar(at: place)
      guard next.kinds.contains(.space) else { break }
      last = place
      if next.kinds.contains(.lineEnd) { lineEnd = next.end }
      place = next.end
    }
    return (place, last, lineEnd)
  }

  /// Where the scalar before `index` starts.
  func scalarBefore(_ index: Int) -> Int {
    var place = index - 1
    while place > 0, bytes[place] & 0xc0 == 0x80 { place -= 1 }
    return place
  }

  @inline(__always)
  func isSpace(at index: Int) -> Bool { bytes[index] == UInt8(ascii: " ") }
}
