import ArgumentParser
import Compression

extension GroupSize: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension RangeSearch: ExpressibleByArgument {}

extension SparsityPattern: ExpressibleByArgument {
  /// Reads a ratio such as `0.5`, or a pattern such as `2:4`; nil for anything else.
  public init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 2, let kept = Int(parts[0]), let of = Int(parts[1]) {
      self = .structured(kept: kept, of: of)
    } else if let ratio = Double(argument) {
      self = .unstructured(ratio: ratio)
    } else {
      return nil
    }
  }
}

/// The checkpoint that every subcommand works on.
struct ModelArgument: ParsableArguments {
  @Argument(help: "A Hugging Face directory or a GGUF file.", completion: .file())
  var path: String
}

/// One scheme for the layers of a glob: a plan with a single rule.
struct SchemeOptions: ParsableArguments {
  @Option(help: "Bits a weight, 2 to 8.")
  var bits: Int?

  @Option(help: "Weights that share a scale, or `channel`.")
  var group: GroupSize = .size(64)

  @Flag(help: "Gives each group a zero point.")
  var asymmetric = false

  @Option(help: "How a group's range is found: `minmax` or `mse`.")
  var range: RangeSearch = .minMax

  @Option(help: "The share of weights to zero (0.5), or how many of how many survive (2:4).")
  var sparsity: SparsityPattern?

  @Option(help: "Which layers: a glob, or `re:` and a regular expression, over their names.")
  var layers: String?

  /// Whether any of these options says what to do.
  var isEmpty: Bool { bits == nil && sparsity == nil }

  /// The plan of this one rule.
  var plan: Plan {
    var change = SchemeChange()
    if let bits {
      change.bits = bits
      change.group = group
      change.isSymmetric = !asymmetric
      change.range = range
    }
    if let sparsity { change.sparsity = .scheme(SparsityScheme(pattern: sparsity)) }
    return Plan(rules: [PlanRule(layers: [layers ?? "*"], change: change)])
  }
}
