import Checkpoints
import Compression
import Inference

extension CalibrationSummary {
  /// What was read, by all and by each expert, and what is too little of it.
  init(
    textPath: String, windows: TokenWindows, moments: [InputSite: InputStatistics],
    of model: ModelDescription
  ) {
    self.init(
      textPath: textPath, tokens: windows.count * windows.length, windows: windows.count,
      window: windows.length, widestInput: model.layers.map(\.columns).max() ?? 0,
      experts: ExpertCoverage.all(moments, of: model))
    let short =
      windows.isShortened
      ? "\(textPath) is short: \(windows.count) window\(windows.count == 1 ? "" : "s") of \(windows.length) tokens "
        + "\(windows.count == 1 ? "was" : "were") taken" : nil
    let warnings = [short, fewTokens, experts.missedWarning, experts.fewTokens].compactMap(\.self)
    warning = warnings.isEmpty ? nil : warnings.joined(separator: ". ")
  }

  private var fewTokens: String? {
    guard tokensPerInput < Calibration.enoughTokens else { return nil }
    let enough = Int(Calibration.enoughTokens) * widestInput
    return
      "\(tokens) tokens are few for layers of \(widestInput) input channels: GPTQ and SparseGPT "
      + "fit the text and not the model; \(enough) or more are better"
  }
}

extension ExpertCoverage {
  /// Of each block with experts, in the order of blocks.
  fileprivate static func all(
    _ moments: [InputSite: InputStatistics], of model: ModelDescription
  ) -> [ExpertCoverage] {
    (0..<model.blockCount).compactMap { block in
      let layers = model.layers.filter { $0.block == block && $0.count > 1 }
      guard let first = layers.first,
        let read = layers.lazy.compactMap({ $0.site.flatMap { moments[$0] } }).first,
        !read.experts.isEmpty
      else { return nil }
      let path = first.name.split(separator: ".").dropLast()
      return ExpertCoverage(
        name: path.joined(separator: "."), tokens: read.experts.map { $0?.tokens ?? 0 },
        widestInput: layers.map(\.columns).max() ?? 0)
    }
  }

  /// Experts that are fitted, and to fewer tokens than it takes.
  fileprivate var short: [Int] {
    tokens.indices.filter {
      !InputStatistics.isMissed(tokens: tokens[$0])
        && Double(tokens[$0]) < Calibration.enoughTokens * Double(widestInput)
    }
  }
}

extension [ExpertCoverage] {
  /// Blocks whose experts a warning names.
  private static var namedBlocks: Int { 3 }

  /// Names the experts that calibration missed; nil if it missed none.
  fileprivate var missedWarning: String? {
    let missed = filter { !$0.missed.isEmpty }
    guard !missed.isEmpty else { return nil }
    var names = missed.prefix(Self.namedBlocks).map { "\($0.missed.names) of \($0.name)" }
    let others = missed.dropFirst(Self.namedBlocks)
    if !others.isEmpty {
      let count = others.reduce(0) { $0 + $1.missed.count }
      names.append("\(count) more in \(others.count) other block\(others.count == 1 ? "" : "s")")
    }
    return names.joined(separator: ", ")
      + " read fewer than \(InputStatistics.leastTokens) tokens: they are rounded to nearest, "
      + "and pruned by magnitude"
  }

  /// How many experts read little; nil if none does.
  fileprivate var fewTokens: String? {
    let short = reduce(0) { $0 + $1.short.count }
    guard short > 0 else { return nil }
    let all = reduce(0) { $0 + $1.tokens.count }
    let least = flatMap { block in block.short.map { block.tokens[$0] } }.min() ?? 0
    return
      "\(short) of \(all) experts read fewer than \(Int(Calibration.enoughTokens)) tokens for each "
      + "input channel, the least-read of them \(least): GPTQ and SparseGPT fit the text and not the model"
  }
}
