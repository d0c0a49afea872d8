/// What the pre-tokenizers' patterns tell apart.
enum CharacterClass: UInt8 {
  /// `\p{L}`
  case letter
  /// `\p{N}`
  case number
  /// `\s`
  case space
  case other

  init(_ scalar: Unicode.Scalar) {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    default: self = scalar.properties.isWhitespace ? .space : .other
    }
  }

  /// By ASCII code.
  static let ascii: [CharacterClass] = (0..<128).map { CharacterClass(Unicode.Scalar($0)) }
}

/// Classifies the scalars of a text held as UTF-8.
struct ScalarScanner {
  /// Valid UTF-8.
  let bytes: [UInt8]
  private let ascii = CharacterClass.ascii

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Class of the scalar that starts at byte `index`, and the index behind it.
  func scalar(at index: Int) -> (kind: CharacterClass, end: Int) {
    let lead = bytes[index]
    if lead < 0x80 { return (ascii[Int(lead)], index + 1) }
    let length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    var value = UInt32(lead) & (0x7f >> UInt32(length))
    for place in index + 1..<index + length { value = value << 6 | UInt32(bytes[place] & 0x3f) }
    let kind = Unicode.Scalar(value).map { CharacterClass($0) } ?? .other
    return (kind, index + length)
  }

  /// The end of the run of scalars of class `kind` that starts at `index`.
  func endOfRun(of kind: CharacterClass, from index: Int, to end: Int) -> Int {
    var place = index
    while place < end {
      let next = scalar(at: place)
      guard next.kind == kind else { break }
      place = next.end
    }
    return place
  }

  /// A run of white space: its end, where its last scalar starts, and the end of its last newline.
  func spaces(from index: Int, to end: Int) -> (end: Int, last: Int, newline: Int?) {
    var (place, last) = (index, index)
    var newline: Int?
    while place < end {
      let next = scalar(at: place)
      guard next.kind == .space else { break }
      last = place
      if isNewline(at: place) { newline = next.end }
      place = next.end
    }
    return (place, last, newline)
  }

  func isNewline(at index: Int) -> Bool {
    bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r")
  }
}
