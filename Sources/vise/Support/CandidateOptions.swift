import ArgumentParser
import Compression
import Tensors

/// The schemes that layers may get.
struct CandidateOptions: ParsableArguments {
  @Option(
    help: """
      Schemes to try, separated by commas: GGUF block types (Q4_K), widths with a group (4g64, \
      add z for zero points), float formats (FP8, NVFP4), or `gguf`, `int`, `float`, `all` for the \
      usual ones; `/rtn` or `/gptq` after one says how its codes are chosen, but for FP8, which is rounded. \
      Zeros are put into 4g64+50% or keep+2:4, by SparseGPT unless `/wanda` or `/magnitude` follows.
      """)
  var candidates = "gguf"

  /// What the option names.
  ///
  /// - Throws: ``CommandFailure`` for words that name no scheme.
  func schemes() throws(CommandFailure) -> [Scheme] { try Self.schemes(named: candidates) }

  /// What such an option names.
  ///
  /// - Throws: ``CommandFailure`` for words that name no scheme.
  static func schemes(named text: String) throws(CommandFailure) -> [Scheme] {
    var found: [Scheme] = []
    for word in text.split(separator: ",") {
      for scheme in try schemes(of: String(word)) where !found.contains(scheme) {
        found.append(scheme)
      }
    }
    return found
  }

  private static func schemes(of word: String) throws(CommandFailure) -> [Scheme] {
    if let plus = word.firstIndex(of: "+") {
      let sparsity = try sparsity(word[word.index(after: plus)...], word)
      let name = String(word[..<plus])
      let dense = name == "keep" ? [Scheme.keep] : try schemes(of: name)
      return dense.map { Scheme(quantization: $0.quantization, sparsity: sparsity) }
    }
    let parts = word.split(separator: "/", maxSplits: 1).map(String.init)
    let method = parts.count > 1 ? QuantizationMethod(rawValue: parts[1]) : .gptq
    guard let name = parts.first, let method, method != .hqq else { throw unknown(word) }
    let blocks = BlockType.allCases.map {
      QuantizationScheme(block: $0, range: .weighted, method: method)
    }
    let widths = [2, 3, 4, 5, 6, 8].map { bits in
      QuantizationScheme(bits: bits, range: .weighted, method: method)
    }
    let floats = FloatFormat.allCases.map { QuantizationScheme(candidate: $0, method: method) }
    let schemes: [QuantizationScheme]
    switch name {
    case "float": schemes = floats
    case "gguf": schemes = blocks
    case "int": schemes = widths
    case "all": schemes = blocks + widths + floats
    default: schemes = [try single(name, word, method)]
    }
    return schemes.map { Scheme(quantization: $0) }
  }

  private static func sparsity(
    _ text: Substring, _ word: String
  ) throws(CommandFailure) -> SparsityScheme {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let method = parts.count > 1 ? PruningMethod(rawValue: String(parts[1])) : .sparsegpt
    guard let first = parts.first, let pattern = SparsityPattern(first), let method else {
      throw unknown(word)
    }
    return SparsityScheme(pattern: pattern, method: method)
  }

  private static func single(
    _ name: String, _ word: String, _ method: QuantizationMethod
  ) throws(CommandFailure) -> QuantizationScheme {
    if let block = BlockType.allCases.first(where: { $0.rawValue == name }) {
      return QuantizationScheme(block: block, range: .weighted, method: method)
    }
    if let float = FloatFormat(rawValue: name) {
      return QuantizationScheme(candidate: float, method: method)
    }
    let isSymmetric = !name.hasSuffix("z")
    let parts = (isSymmetric ? name : String(name.dropLast()))
      .split(separator: "g", maxSplits: 1).map(String.init)
    guard let bits = parts.first.flatMap({ Int($0) }), QuantizationScheme.widths.contains(bits),
      let group = parts.count > 1 ? GroupSize(parts[1]) : .size(64)
    else { throw unknown(word) }
    return QuantizationScheme(
      bits: bits, group: group, isSymmetric: isSymmetric, range: .weighted, method: method)
  }

  private static func unknown(_ word: String) -> CommandFailure {
    CommandFailure(
      status: .usage,
      message: "\(word) names no scheme; write a block type such as Q4_K, a width and group such "
        + "as 4g64, a float format such as NVFP4, one of these or keep with zeros such as keep+50%, or "
        + "gguf, int, float or all")
  }
}

extension QuantizationScheme {
  /// A float format as it is best with calibration; FP8 is always rounded.
  fileprivate init(candidate float: FloatFormat, method: QuantizationMethod) {
    let isFine = float.bits == 8
    self.init(float: float, range: isFine ? nil : .weighted, method: isFine ? .rtn : method)
  }
}
