import Tensors

/// What a text says of a scheme: the words of the command line, of the workbench and of plans, and what ``Scheme/summary`` prints.
///
/// Words are separated by spaces, or by `+` before zeros and `/` before a method; letters may be large or small:
///
///     4g64   4g64z   4 bit g64 asym gptq weighted   Q4_K   FP8   keep   50%   2:4 50 %   4g64+50%/wanda
public struct SchemeText: Hashable, Sendable {
  /// Whether the layer stays as it is, but for zeros.
  public private(set) var keeps = false
  public private(set) var block: BlockType?
  public private(set) var float: FloatFormat?
  public private(set) var bits: Int?
  public private(set) var group: GroupSize?
  public private(set) var isSymmetric: Bool?
  public private(set) var range: RangeSearch?
  public private(set) var method: QuantizationMethod?
  public private(set) var pattern: SparsityPattern?
  public private(set) var pruning: PruningMethod?
  /// Whether it is written out as summaries are: what it leaves out is rounding from the smallest to the largest weight.
  public private(set) var isWrittenOut = false

  /// Nil for a text that says nothing, something twice, how zeros are chosen but not how many, or anything else.
  public init?(_ text: some StringProtocol) {
    let spaced = text.lowercased().map { "+/,".contains($0) ? " " : $0 }
    var words = String(spaced).split(separator: " ").map(String.init)[...]
    guard !words.isEmpty else { return nil }
    isWrittenOut = words.count > 1 && !text.contains(where: { "+/".contains($0) })
    while let word = words.popFirst() {
      if let next = words.first, ["bit", "bits", "%"].contains(next) {
        words.removeFirst()
        guard read(word + next) else { return nil }
      } else {
        guard read(word) else { return nil }
      }
    }
    let hasParts = bits != nil || group != nil || isSymmetric != nil
    guard pattern != nil || pruning == nil, !(hasParts && (block != nil || float != nil)),
      !(keeps && (hasParts || type != nil || method != nil || range != nil))
    else { return nil }
  }

  private var type: String? { block?.rawValue ?? float?.rawValue }

  /// Takes a word on; false if it means nothing, or what was said already.
  private mutating func read(_ word: String) -> Bool {
    switch word {
    case "keep": return set(\.keeps, to: true, unless: keeps)
    case "sym", "symmetric": return set(\.isSymmetric, to: true, unless: isSymmetric != nil)
    case "asym", "asymmetric", "z":
      return set(\.isSymmetric, to: false, unless: isSymmetric != nil)
    case "channel": return set(\.group, to: .channel, unless: group != nil)
    default: break
    }
    if let found = QuantizationMethod(rawValue: word) {
      return set(\.method, to: found, unless: method != nil)
    }
    if let found = RangeSearch(rawValue: word) {
      return set(\.range, to: found, unless: range != nil)
    }
    if let found = PruningMethod(rawValue: word) {
      return set(\.pruning, to: found, unless: pruning != nil)
    }
    if let found = BlockType.allCases.first(where: { $0.rawValue.lowercased() == word }) {
      return set(\.block, to: found, unless: type != nil)
    }
    if let found = FloatFormat.allCases.first(where: { $0.rawValue.lowercased() == word }) {
      return set(\.float, to: found, unless: type != nil)
    }
    return readWidth(word) || readSparsity(word)
  }

  private mutating func set<Value>(
    _ path: WritableKeyPath<SchemeText, Value>, to value: Value, unless isSaid: Bool
  ) -> Bool {
    guard !isSaid else { return false }
    self[keyPath: path] = value
    return true
  }

  /// `4bit`, `4g64`, `4g64z`, `g64`, `8gchannel`.
  private mutating func readWidth(_ word: String) -> Bool {
    for suffix in ["bits", "bit"] where word.hasSuffix(suffix) {
      guard let width = Int(word.dropLast(suffix.count)), QuantizationScheme.widths.contains(width)
      else { return false }
      return set(\.bits, to: width, unless: bits != nil)
    }
    let hasPoints = word.hasSuffix("z")
    let parts = (hasPoints ? word.dropLast() : word[...])
      .split(separator: "g", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, parts.count == 2 || hasPoints || Int(first) != nil else {
      return false
    }
    if !first.isEmpty {
      guard let width = Int(first), QuantizationScheme.widths.contains(width), bits == nil else {
        return false
      }
      bits = width
    } else if parts.count < 2 {
      return false
    }
    if parts.count == 2 {
      guard let size = GroupSize(String(parts[1])), group == nil else { return false }
      group = size
    }
    if hasPoints {
      guard isSymmetric == nil else { return false }
      isSymmetric = false
    }
    return true
  }

  /// A pattern, or a share; a share behind a pattern must be the pattern's.
  private mutating func readSparsity(_ word: String) -> Bool {
    guard let found = SparsityPattern(word) else { return false }
    guard let pattern else {
      self.pattern = found
      return true
    }
    guard case .structured = pattern, case .unstructured(let ratio) = found else { return false }
    return abs(pattern.ratio - ratio) < 5e-4
  }
}

extension SchemeText {
  /// Whether it says nothing but how zeros are put in.
  public var isSparsityOnly: Bool {
    !keeps && bits == nil && group == nil && isSymmetric == nil && type == nil && range == nil
      && method == nil && pattern != nil
  }

  /// As a change of a plan.
  public var change: SchemeChange {
    SchemeChange(
      keeps: keeps ? true : nil, block: block, float: float, bits: bits, group: group,
      isSymmetric: isSymmetric, range: range, method: method,
      sparsity: pattern.map { .scheme(SparsityScheme(pattern: $0, method: pruning ?? .magnitude)) })
  }
}
