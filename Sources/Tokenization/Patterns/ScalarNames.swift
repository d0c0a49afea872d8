/// The sets that `\p{..}` names: general categories, and the scripts that tokenizers' patterns tell apart.
extension ScalarSet {
  init?(named name: String) {
    if let kinds = Self.categories[name] {
      self.init([.kinds(kinds)])
    } else if let ranges = Self.scripts[name.lowercased()] {
      self.init(ranges.map { .range($0) })
    } else {
      return nil
    }
  }

  private static let categories: [String: ScalarKinds] = [
    "L": .letters, "Letter": .letters, "Alphabetic": .alphabetic,
    "Lu": .upper, "Ll": .lower, "Lt": ScalarKinds(.titlecaseLetter),
    "Lm": ScalarKinds(.modifierLetter), "Lo": ScalarKinds(.otherLetter),
    "M": .marks, "Mark": .marks, "Mn": ScalarKinds(.nonspacingMark),
    "Mc": ScalarKinds(.spacingMark), "Me": ScalarKinds(.enclosingMark),
    "N": .numbers, "Number": .numbers, "Nd": ScalarKinds(.decimalNumber),
    "Nl": ScalarKinds(.letterNumber), "No": ScalarKinds(.otherNumber),
    "P": .punctuation, "Punctuation": .punctuation,
    "Pc": ScalarKinds(.connectorPunctuation), "Pd": ScalarKinds(.dashPunctuation),
    "Ps": ScalarKinds(.openPunctuation), "Pe": ScalarKinds(.closePunctuation),
    "Pi": ScalarKinds(.initialPunctuation), "Pf": ScalarKinds(.finalPunctuation),
    "Po": ScalarKinds(.otherPunctuation),
    "S": .symbols, "Symbol": .symbols, "Sm": ScalarKinds(.mathSymbol),
    "Sc": ScalarKinds(.currencySymbol), "Sk": ScalarKinds(.modifierSymbol),
    "So": ScalarKinds(.otherSymbol),
    "Z": separators, "Separator": separators, "Zs": ScalarKinds(.spaceSeparator),
    "Zl": ScalarKinds(.lineSeparator), "Zp": ScalarKinds(.paragraphSeparator),
    "C": others, "Other": others, "Cc": ScalarKinds(.control), "Cf": ScalarKinds(.format),
    "Co": ScalarKinds(.privateUse), "Cn": ScalarKinds(.unassigned),
    "White_Space": .space, "Space": .space,
  ]

  private static let separators: ScalarKinds = [
    ScalarKinds(.spaceSeparator), ScalarKinds(.lineSeparator), ScalarKinds(.paragraphSeparator),
  ]
  private static let others: ScalarKinds = [
    ScalarKinds(.control), ScalarKinds(.format), ScalarKinds(.privateUse),
    ScalarKinds(.unassigned),
  ]

  /// Scripts in Unicode 16's Scripts.txt.
  private static let scripts: [String: [ClosedRange<UInt32>]] = [
    "han": [
      0x2e80...0x2e99, 0x2e9b...0x2ef3, 0x2f00...0x2fd5, 0x3005...0x3005, 0x3007...0x3007,
      0x3021...0x3029, 0x3038...0x303b, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xf900...0xfa6d,
      0xfa70...0xfad9, 0x16fe2...0x16fe3, 0x16ff0...0x16ff1, 0x20000...0x2a6df,
      0x2a700...0x2b739, 0x2b740...0x2b81d, 0x2b820...0x2cea1, 0x2ceb0...0x2ebe0,
      0x2ebf0...0x2ee5d, 0x2f800...0x2fa1d, 0x30000...0x3134a, 0x31350...0x323af,
    ],
    "hiragana": [
      0x3041...0x3096, 0x309d...0x309f, 0x1b001...0x1b11f, 0x1b132...0x1b132,
      0x1b150...0x1b152, 0x1f200...0x1f200,
    ],
    "katakana": [
      0x30a1...0x30fa, 0x30fd...0x30ff, 0x31f0...0x31ff, 0x32d0...0x32fe, 0x3300...0x3357,
      0xff66...0xff6f, 0xff71...0xff9d, 0x1aff0...0x1aff3, 0x1aff5...0x1affb, 0x1affd...0x1affe,
      0x1b000...0x1b000, 0x1b120...0x1b122, 0x1b155...0x1b155, 0x1b164...0x1b167,
    ],
    "hangul": [
      0x1100...0x11ff, 0x302e...0x302f, 0x3131...0x318e, 0x3200...0x321e, 0x3260...0x327e,
      0xa960...0xa97c, 0xac00...0xd7a3, 0xd7b0...0xd7c6, 0xd7cb...0xd7fb, 0xffa0...0xffbe,
      0xffc2...0xffc7, 0xffca...0xffcf, 0xffd2...0xffd7, 0xffda...0xffdc,
    ],
    "thai": [0xe01...0xe3a, 0xe40...0xe5b],
  ]
}
