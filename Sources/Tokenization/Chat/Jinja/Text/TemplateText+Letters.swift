// MARK: - Upper and lower case, and what Python's str says of characters

extension TemplateText {
  /// Each character's mapping; a mapping of several scalars keeps the mark of what it came from.
  private func mapped(_ map: (Unicode.Scalar.Properties) -> String) -> TemplateText {
    TemplateText(
      elements: elements.flatMap { element in
        map(Self.scalar(element).properties).unicodeScalars.map {
          $0.value | (element & Self.inputMark)
        }
      })
  }

  var uppercased: TemplateText { mapped(\.uppercaseMapping) }
  var lowercased: TemplateText { mapped(\.lowercaseMapping) }
  var casefolded: TemplateText { mapped { $0.lowercaseMapping } }
  var swappedCase: TemplateText {
    mapped { $0.isUppercase ? $0.lowercaseMapping : $0.uppercaseMapping }
  }

  /// The first character in title case, the others in lower case.
  var capitalized: TemplateText {
    guard !isEmpty else { return self }
    return self[0..<1].mapped(\.titlecaseMapping) + self[1..<count].lowercased
  }

  /// Every run of letters capitalized, as `str.title` does.
  var titled: TemplateText {
    var result = TemplateText(elements: [])
    var followsLetter = false
    for index in elements.indices {
      let character = self[index..<index + 1]
      result.elements +=
        (followsLetter ? character.lowercased : character.mapped(\.titlecaseMapping)).elements
      followsLetter = Self.isCased(Self.scalar(elements[index]).properties)
    }
    return result
  }

  /// Every word capitalized, words starting after white space, `-`, and opening brackets: the filter `title`.
  var titledWords: TemplateText {
    let openings = Set("-({[<".unicodeScalars.map(\.value))
    var result = TemplateText(elements: [])
    var isStart = true
    for index in elements.indices {
      let character = self[index..<index + 1]
      let isGap =
        Self.isSpace(elements[index]) || openings.contains(elements[index] & ~Self.inputMark)
      result.elements += (isStart ? character.uppercased : character.lowercased).elements
      isStart = isGap
    }
    return result
  }

  private static func isCased(_ properties: Unicode.Scalar.Properties) -> Bool {
    properties.isCased || properties.generalCategory == .titlecaseLetter
  }

  private func all(_ holds: (Unicode.Scalar.Properties) -> Bool) -> Bool {
    !isEmpty && elements.allSatisfy { holds(Self.scalar($0).properties) }
  }

  /// Whether there are cased characters and `wanted` holds of all of them.
  private func allCased(_ wanted: (Unicode.Scalar.Properties) -> Bool) -> Bool {
    let cased = elements.map { Self.scalar($0).properties }.filter(Self.isCased)
    return !cased.isEmpty && cased.allSatisfy(wanted)
  }

  static func isLetter(_ properties: Unicode.Scalar.Properties) -> Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  var isLower: Bool { allCased { $0.isLowercase } }
  var isUpper: Bool { allCased { $0.isUppercase } }
  var isTitle: Bool { allCased { _ in true } && self == titled }
  var isAlpha: Bool { all(Self.isLetter) }
  var isDecimal: Bool { all { $0.numericType == .decimal } }
  var isDigit: Bool { all { $0.numericType == .decimal || $0.numericType == .digit } }
  var isNumeric: Bool { all { $0.numericType != nil } }
  var isAlphanumeric: Bool { all { Self.isLetter($0) || $0.numericType != nil } }
  var isWhiteSpace: Bool { !isEmpty && elements.allSatisfy(Self.isSpace) }
  var isASCII: Bool { elements.allSatisfy { $0 & ~Self.inputMark < 0x80 } }

  /// Whether it could be a name in Python.
  var isIdentifier: Bool {
    guard let first = elements.first else { return false }
    let start = Self.scalar(first)
    return (start == "_" || start.properties.isXIDStart)
      && elements.allSatisfy { Self.scalar($0).properties.isXIDContinue }
  }
}
