/// Characters that a class of a ``NamePattern`` holds, by themselves and in ranges.
struct NameCharacters: Sendable {
  private(set) var ranges: [ClosedRange<Unicode.Scalar>] = []
  /// Whether letters and digits of all scripts are among them.
  private var hasWords = false
  private(set) var isInverted = false

  static let any = NameCharacters(ranges: [], isInverted: true)
  static let digits = NameCharacters(ranges: ["0"..."9"])
  static let spaces = NameCharacters(ranges: [" "..." ", "\t"..."\r"])
  static let words = NameCharacters(
    ranges: ["0"..."9", "a"..."z", "A"..."Z", "_"..."_"], hasWords: true)

  init(ranges: [ClosedRange<Unicode.Scalar>], hasWords: Bool = false, isInverted: Bool = false) {
    self.ranges = ranges
    self.hasWords = hasWords
    self.isInverted = isInverted
  }

  var inverted: NameCharacters {
    NameCharacters(ranges: ranges, hasWords: hasWords, isInverted: !isInverted)
  }

  /// With ASCII letters in either case.
  var ignoringCase: NameCharacters {
    let letters: [(from: ClosedRange<UInt32>, by: Int)] = [(0x41...0x5a, 32), (0x61...0x7a, -32)]
    let added = ranges.flatMap { range in
      letters.compactMap { letters -> ClosedRange<Unicode.Scalar>? in
        let low = Int(max(range.lowerBound.value, letters.from.lowerBound)) + letters.by
        let high = Int(min(range.upperBound.value, letters.from.upperBound)) + letters.by
        guard low <= high, let first = Unicode.Scalar(UInt32(low)),
          let last = Unicode.Scalar(UInt32(high))
        else { return nil }
        return first...last
      }
    }
    return NameCharacters(ranges: ranges + added, hasWords: hasWords, isInverted: isInverted)
  }

  /// Adds what another class holds, which is not inverted.
  mutating func add(_ other: NameCharacters) {
    ranges += other.ranges
    hasWords = hasWords || other.hasWords
  }

  mutating func add(_ range: ClosedRange<Unicode.Scalar>) { ranges.append(range) }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    let isAmong =
      ranges.contains { $0.contains(scalar) }
      || hasWords && scalar.value >= 0x80
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
    return isAmong != isInverted
  }
}
