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
      Zeros are put into 4g64+50% or keep+2:4, by SparseGPT unless `/wanda` or `/magnitude` follows. \
      Schemes as Vise prints them (4 bit g64 sym, 2:4 50 %) mean what they were printed for.
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
    var words: [String] = []
    for word in text.split(separator: ",").map(String.init) {
      // Summaries have a comma before what is pruned.
      if let last = words.last, word.hasPrefix(" "), SchemeText(word)?.isSparsityOnly == true {
        words[words.count - 1] = "\(last),\(word)"
      } else {
        words.append(word)
      }
    }
    var found: [Scheme] = []
    for word in words {
      for scheme in try schemes(of: word) where !found.contains(scheme) { found.append(scheme) }
    }
    return found
  }

  /// Names of several schemes, before what stands for all of them.
  private static let groups = ["float", "gguf", "int", "all"]

  private static func schemes(of word: String) throws(CommandFailure) -> [Scheme] {
    let group = groups.first { name in
      word == name || ["/", "+"].contains { word.hasPrefix(name + $0) }
    }
    let rest = group.map { String(word.dropFirst($0.count)) } ?? word
    // A group says nothing more where nothing stands behind it.
    guard let said = SchemeText(rest.isEmpty ? "gptq" : rest), said.method != .hqq else {
      throw unknown(word)
    }
    let method = said.method ?? (said.isWrittenOut ? .rtn : .gptq)
    let range = said.range ?? (said.isWrittenOut ? .minMax : .weighted)
    let sparsity = said.pattern.map {
      SparsityScheme(
        pattern: $0, method: said.pruning ?? (said.isWrittenOut ? .magnitude : .sparsegpt))
    }
    let blocks = {
      BlockType.allCases.map { QuantizationScheme(block: $0, range: range, method: method) }
    }
    let floats = { FloatFormat.allCases.map { QuantizationScheme(candidate: $0, method: method) } }
    let widths = {
      [2, 3, 4, 5, 6, 8].map { QuantizationScheme(bits: $0, range: range, method: method) }
    }
    let chosen: [QuantizationScheme?]
    switch group {
    case "float": chosen = floats()
    case "gguf": chosen = blocks()
    case "int": chosen = widths()
    case "all": chosen = blocks() + widths() + floats()
    default:
      let single = single(said, method, range)
      // Zeros alone are said with keep, or as summaries print them.
      guard single != nil || sparsity != nil && (said.keeps || said.isWrittenOut) else {
        throw unknown(word)
      }
      chosen = [single]
    }
    return chosen.map { Scheme(quantization: $0, sparsity: sparsity) }
  }

  /// How one scheme quantizes; nil if it does not.
  private static func single(
    _ said: SchemeText, _ method: QuantizationMethod, _ range: RangeSearch
  ) -> QuantizationScheme? {
    if let block = said.block {
      return QuantizationScheme(block: block, range: range, method: method)
    }
    if let float = said.float {
      return said.isWrittenOut
        ? QuantizationScheme(float: float, range: range, method: method)
        : QuantizationScheme(candidate: float, method: method)
    }
    return said.bits.map { bits in
      QuantizationScheme(
        bits: bits, group: said.group ?? .size(64), isSymmetric: said.isSymmetric ?? true,
        range: range, method: method)
    }
  }

  private static func unknown(_ word: String) -> CommandFailure {
    CommandFailure(
      status: .usage,
      message: "\(word) names no scheme; write a block type such as Q4_K, a width and group such "
        + "as 4g64 or \"4 bit g64 sym\", a float format such as NVFP4, one of these or keep with zeros such as "
        + "keep+50%, or gguf, int, float or all")
  }
}

extension QuantizationScheme {
  /// A float format as it is best with calibration; FP8 is always rounded.
  fileprivate init(candidate float: FloatFormat, method: QuantizationMethod) {
    let isFine = float.bits == 8
    self.init(float: float, range: isFine ? nil : .weighted, method: isFine ? .rtn : method)
  }
}
