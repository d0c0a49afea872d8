import TestSupport

/// Texts that tokenizers find hard.
enum RandomText {
  /// Up to 60 scalars; white space, letters, marks, digits, signs of many scripts and all else in turn.
  static func hard(_ random: inout SeededRandom) -> String {
    let pools: [ClosedRange<UInt32>] = [
      0x20...0x7e, 0x00...0x40, 0xa0...0x24f, 0x300...0x36f, 0x590...0x6ff, 0x2000...0x206f,
      0x4e00...0x9fff, 0x1f300...0x1faff, 0x0...0x10ffff, 0x41...0x7a, 0x20...0x2f, 0x1c4...0x1cc,
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      let pool = pools[Int.random(in: 0..<pools.count, using: &random)]
      if let scalar = Unicode.Scalar(UInt32.random(in: pool, using: &random)) {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
