/// The ASCII character that comes nearest to a glyph, for terminals and locales without UTF-8.
func asciiStandIn(for glyph: Character) -> UInt32 {
  guard let scalar = glyph.unicodeScalars.first else { return 0x20 }
  let standIn: Unicode.Scalar =
    switch scalar.value {
    case 0..<0x80: scalar
    case 0x2500...0x257F: boxDrawing(scalar.value)
    case 0x2580...0x259F: blockElement(scalar.value)
    case 0x2800...0x28FF: braille(dots: (scalar.value & 0xFF).nonzeroBitCount)
    default: similar[scalar] ?? baseLetter(scalar)
    }
  return standIn.value
}

private func boxDrawing(_ value: UInt32) -> Unicode.Scalar {
  switch value {
  case 0x2500, 0x2501, 0x2504, 0x2505, 0x2508, 0x2509, 0x254C, 0x254D, 0x2574, 0x2576, 0x2578,
    0x257A, 0x257C, 0x257E:
    "-"
  case 0x2502, 0x2503, 0x2506, 0x2507, 0x250A, 0x250B, 0x254E, 0x254F, 0x2551, 0x2575, 0x2577,
    0x2579, 0x257B, 0x257D, 0x257F:
    "|"
  case 0x2550: "="
  case 0x2571: "/"
  case 0x2572: "\\"
  case 0x2573: "X"
  default: "+"
  }
}

private func blockElement(_ value: UInt32) -> Unicode.Scalar {
  switch value {
  case 0x2581...0x2583: "_"
  case 0x258D...0x258F, 0x2595: "|"
  case 0x2591: "."
  case 0x2592: ":"
  case 0x2594: "-"
  default: "#"
  }
}

private func braille(dots: Int) -> Unicode.Scalar {
  switch dots {
  case 0: " "
  case 1...3: "."
  default: ":"
  }
}

private let similar: [Unicode.Scalar: Unicode.Scalar] = [
  "…": ".", "·": ".", "•": "*", "∙": ".", "●": "*", "○": "o", "◉": "@", "◆": "*", "◇": "o",
  "■": "#", "□": "o", "▪": "#", "▫": "o", "★": "*", "☆": "*", "✓": "+", "✔": "+", "✗": "x",
  "✘": "x", "×": "x", "÷": "/", "−": "-", "‐": "-", "‑": "-", "–": "-", "—": "-", "±": "~",
  "≈": "~", "≠": "!", "≤": "<", "≥": ">", "←": "<", "→": ">", "↑": "^", "↓": "v", "⇐": "<",
  "⇒": ">", "⇑": "^", "⇓": "v", "↔": "-", "↕": "|", "↵": "<", "⏎": "<", "▲": "^", "▴": "^",
  "△": "^", "▼": "v", "▾": "v", "▽": "v", "◀": "<", "◂": "<", "◁": "<", "▶": ">", "▸": ">",
  "▷": ">", "‹": "<", "›": ">", "«": "<", "»": ">", "‘": "'", "’": "'", "“": "\"", "”": "\"",
  "„": "\"", "′": "'", "″": "\"", "°": "o", "µ": "u", "Δ": "D", "σ": "s", "∞": "8", "␣": "_",
  "ß": "s", "æ": "a", "ø": "o", "Æ": "A", "Ø": "O", "đ": "d", "ł": "l", "Ł": "L", "\u{A0}": " ",
]

/// The letter under an accent, by its name: "LATIN SMALL LETTER E WITH ACUTE" is an e.
private func baseLetter(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
  let words = scalar.properties.name?.split(separator: " ") ?? []
  guard words.count > 4, words[0] == "LATIN", words[2] == "LETTER", words[4] == "WITH",
    let letter = words[3].unicodeScalars.first, words[3].unicodeScalars.count == 1
  else { return "?" }
  return words[1] == "SMALL"
    ? letter.properties.lowercaseMapping.unicodeScalars.first ?? "?" : letter
}
