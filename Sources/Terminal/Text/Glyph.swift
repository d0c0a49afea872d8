/// What one or two neighbouring cells can hold: a scalar and the marks that combine with it.
struct Glyph: Hashable {
  let character: Character
  /// 1 or 2 columns.
  let width: Int

  static let blank = Glyph(character: " ", width: 1)

  /// More combining marks than this are dropped: curses stores no more in a cell.
  static let maximumMarks = 4
}

/// Calls `body` with the glyphs that show `character`, from left to right.
///
/// Terminals do not agree on grapheme clusters of several wide or narrow scalars (joined emoji,
/// flags, conjuncts), so each such scalar gets its own cells and what would join them is left
/// out. Controls become visible stand-ins: text of a model or a file never reaches the terminal
/// as an escape sequence.
func forEachGlyph(of character: Character, _ body: (Glyph) -> Void) {
  if let ascii = character.asciiValue, (0x20..<0x7F).contains(ascii) {
    body(Glyph(character: character, width: 1))
    return
  }
  var pending: (scalars: String.UnicodeScalarView, width: Int)?
  func emit() {
    guard let glyph = pending else { return }
    body(Glyph(character: Character(String(glyph.scalars)), width: glyph.width))
    pending = nil
  }
  for scalar in character.unicodeScalars {
    let width = scalarWidth(scalar)
    if width == 0 {
      let isMark = scalar.properties.generalCategory != .format && !isVariationSelector(scalar)
      if isMark, let count = pending?.scalars.count, count <= Glyph.maximumMarks {
        pending?.scalars.append(scalar)
      }
    } else if pending == nil || !scalar.properties.isEmojiModifier {
      emit()
      var scalars = String.UnicodeScalarView()
      scalars.append(width == nil ? standIn(for: scalar) : scalar)
      pending = (scalars, width ?? 1)
    }
  }
  emit()
}

private func isVariationSelector(_ scalar: Unicode.Scalar) -> Bool {
  (0xFE00...0xFE0F).contains(scalar.value) || (0xE0100...0xE01EF).contains(scalar.value)
}

/// What is shown for a scalar that has no shape: a blank for a tab, a control picture, or U+FFFD.
private func standIn(for scalar: Unicode.Scalar) -> Unicode.Scalar {
  switch scalar.value {
  case 0x09, 0x2028, 0x2029: " "
  case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
  case 0x7F: "\u{2421}"
  default: "\u{FFFD}"
  }
}
