import Compression
import Tensors

/// What people type into the fields for sparsity and method.
enum SchemeWords {
  /// What a text says of sparsity: a pattern, a method, both, or that there is none.
  struct Sparsity: Hashable, Sendable {
    var isNone = false
    var pattern: SparsityPattern?
    var method: PruningMethod?

    /// What becomes of a layer's sparsity; nil where only a method is said and nothing is pruned.
    func change(of scheme: SparsityScheme?) -> SparsityChange? {
      if isNone { return SparsityChange.none }
      guard let pattern = pattern ?? scheme?.pattern else { return nil }
      return .scheme(
        SparsityScheme(pattern: pattern, method: method ?? scheme?.method ?? .magnitude))
    }
  }

  /// Reads `none`, `50%`, `0.5`, `2:4 50 %`, and behind or without them a method; nil for anything else.
  static func sparsity(_ text: String) -> Sparsity? {
    let words = text.lowercased().split { $0 == " " || $0 == "," }
    if words.count == 1 {
      if ["none", "off", "0", "0%", "dense"].contains(words[0]) { return Sparsity(isNone: true) }
      if let method = PruningMethod(rawValue: String(words[0])) { return Sparsity(method: method) }
    }
    guard let said = SchemeText(text), said.isSparsityOnly else { return nil }
    return Sparsity(pattern: said.pattern, method: said.pruning)
  }

  static func help(for method: PruningMethod) -> String {
    switch method {
    case .magnitude: "the smallest weights go"
    case .wanda: "the smallest go, weighted by their inputs; needs calibration"
    case .sparsegpt: "what is left makes up for what goes; needs calibration"
    }
  }

  /// One word of the method field with what it means.
  struct Word: Hashable, Sendable {
    let word: String
    let help: String
    let change: SchemeChange
  }

  /// Every word that the method field takes.
  static let methodWords: [Word] =
    QuantizationMethod.allCases.map { method in
      Word(word: method.rawValue, help: help(for: method), change: SchemeChange(method: method))
    } + [
      Word(
        word: "minmax", help: "range from the smallest to the largest weight",
        change: SchemeChange(range: .minMax)),
      Word(
        word: "mse", help: "range shrunk to where the squared error is least",
        change: SchemeChange(range: .mse)),
      Word(
        word: "weighted", help: "range shrunk to where the error weighted by inputs is least",
        change: SchemeChange(range: .weighted)),
      Word(
        word: "symmetric", help: "no zero points: codes lie evenly around zero",
        change: SchemeChange(isSymmetric: true)),
      Word(
        word: "asymmetric", help: "with a zero point a group",
        change: SchemeChange(isSymmetric: false)),
    ]
    + BlockType.allCases.map { type in
      Word(
        word: type.rawValue.lowercased(),
        help: "GGUF's blocks of \(type.blockSize), groups of \(type.groupSize)",
        change: SchemeChange(block: type))
    }
    + FloatFormat.allCases.map { format in
      Word(
        word: format.rawValue.lowercased(), help: help(for: format),
        change: format.bits == 8
          ? SchemeChange(float: format, range: .minMax, method: .rtn) : SchemeChange(float: format))
    }

  private static func help(for format: FloatFormat) -> String {
    switch format {
    case .fp8: "floats of 8 bits, a scale a row"
    case .fp8Block: "floats of 8 bits, a scale for 128 rows by 128 columns"
    case .nvfp4: "floats of 4 bits in groups of 16"
    case .mxfp4: "floats of 4 bits in groups of 32, scales are powers of two"
    }
  }

  private static func help(for method: QuantizationMethod) -> String {
    switch method {
    case .rtn: "round to nearest"
    case .hqq: "round to nearest around half-quadratic zero points"
    case .gptq: "column by column, later columns make up for earlier ones"
    case .awq: "round to nearest after scaling up the channels that matter"
    }
  }

  /// Reads words such as `rtn mse asymmetric` or `q4_k gptq`, or a scheme as it is printed; nil if one is unknown or there is none.
  ///
  /// A beginning that fits one word only stands for that word.
  static func method(_ text: String) -> SchemeChange? {
    let words = text.lowercased().split { $0 == " " || $0 == "," }
    guard !words.isEmpty else { return nil }
    var change = SchemeChange()
    for word in words {
      let exact = methodWords.filter { $0.word == word }
      let fitting = exact.isEmpty ? methodWords.filter { $0.word.hasPrefix(word) } : exact
      guard fitting.count == 1, let found = fitting.first?.change else {
        return SchemeText(text)?.change
      }
      change.method = found.method ?? change.method
      change.range = found.range ?? change.range
      change.isSymmetric = found.isSymmetric ?? change.isSymmetric
      change.block = found.block ?? change.block
      change.float = found.float ?? change.float
    }
    return change
  }
}
