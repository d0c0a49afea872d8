/// A set of Unicode scalars as a pattern's brackets and escapes write it.
struct ScalarSet: Hashable, Sendable {
  /// One part of a set; the set holds what any of them holds.
  enum Part: Hashable, Sendable {
    case kinds(ScalarKinds)
    case range(ClosedRange<UInt32>)
    case set(ScalarSet)
  }

  private var parts: [Part]
  private var isInverted: Bool
  /// Sets that a scalar must be in as well (`&&`).
  private var limits: [ScalarSet]
  /// By ASCII code, worked out before.
  private var ascii: [Bool] = []

  init(_ parts: [Part], isInverted: Bool = false, limits: [ScalarSet] = []) {
    self.parts = parts
    self.isInverted = isInverted
    self.limits = limits
    ascii = (0..<128).map { find($0, ScalarKinds.table[Int($0)]) }
  }

  /// What a dot stands for.
  static let allButLineFeed = ScalarSet([.range(10...10)], isInverted: true)
  static let spaces = ScalarSet([.kinds(.space)])
  static let digits = ScalarSet([.kinds(ScalarKinds(.decimalNumber))])
  /// `\w`, as Oniguruma has it: in Latin-1, powers and fractions are of words too.
  static let words = ScalarSet([
    .kinds([
      .alphabetic, .marks, ScalarKinds(.decimalNumber), ScalarKinds(.connectorPunctuation),
    ]),
    .range(0xb2...0xb3), .range(0xb9...0xb9), .range(0xbc...0xbe),
  ])

  var inverted: ScalarSet { ScalarSet([.set(self)], isInverted: true) }

  /// With the scalars that differ from those of the set in case alone.
  var ignoringCase: ScalarSet {
    let parts = self.parts.flatMap { part -> [Part] in
      switch part {
      case .kinds: [part]
      case .set(let set): [.set(set.ignoringCase)]
      case .range(let range):
        [part] + range.prefix(1 << 10).flatMap(Self.variants).map { .range($0...$0) }
      }
    }
    return ScalarSet(parts, isInverted: isInverted, limits: limits.map(\.ignoringCase))
  }

  private static func variants(of value: UInt32) -> [UInt32] {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    let properties = scalar.properties
    var found = [properties.lowercaseMapping, properties.uppercaseMapping]
      .filter { $0.unicodeScalars.count == 1 }.flatMap { $0.unicodeScalars.map(\.value) }
    // Letters whose upper or lower case is an ASCII letter.
    switch found.first {
    case 0x73: found.append(0x17f)
    case 0x6b: found.append(0x212a)
    default: break
    }
    return found
  }

  @inline(__always)
  func contains(_ value: UInt32, _ kinds: ScalarKinds) -> Bool {
    value < 128 ? ascii[Int(value)] : find(value, kinds)
  }

  /// Whether an ASCII scalar, or any other, may be in the set.
  func mayContain(_ byte: UInt8) -> Bool { byte >= 128 || ascii[Int(byte)] }

  private func find(_ value: UInt32, _ kinds: ScalarKinds) -> Bool {
    let isInParts = parts.contains { part in
      switch part {
      case .kinds(let wanted): !kinds.isDisjoint(with: wanted)
      case .range(let range): range.contains(value)
      case .set(let set): set.find(value, kinds)
      }
    }
    return isInParts != isInverted && limits.allSatisfy { $0.find(value, kinds) }
  }
}

extension ScalarSet {
  /// The one scalar of a set that is written as such.
  var single: UInt32? {
    guard !isInverted, limits.isEmpty, parts.count == 1, case .range(let range) = parts[0],
      range.count == 1
    else { return nil }
    return range.lowerBound
  }
}
