import ArgumentParser
import Compression
import Tensors

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

/// A type that decides a scheme's width, groups and symmetry.
struct TypeArgument: ExpressibleByArgument {
  let block: BlockType?
  let float: FloatFormat?

  /// Reads a GGUF block type or a float format; nil for anything else.
  init?(argument: String) {
    block = BlockType(rawValue: argument)
    float = FloatFormat(rawValue: argument)
    guard block != nil || float != nil else { return nil }
  }
}

/// One scheme for the layers of a glob: a plan with a single rule.
struct SchemeOptions: ParsableArguments {
  @Option(help: "Bits a weight, 2 to 8.")
  var bits: Int?

  @Option(help: "Instead of bits, a GGUF block type such as Q4_K, or FP8, FP8_BLOCK, NVFP4, MXFP4.")
  var type: TypeArgument?

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
  var isEmpty: Bool { bits == nil && type == nil && sparsity == nil }

  /// The plan of this one rule.
  var plan: Plan {
    var change = SchemeChange()
    if let type {
      (change.block, change.float) = (type.block, type.float)
    } else if let bits {
      change.bits = bits
      change.group = group
      change.isSymmetric = !asymmetric
      change.range = range
    }
    if let sparsity { change.sparsity = .scheme(SparsityScheme(pattern: sparsity)) }
    return Plan(rules: [PlanRule(layers: [layers ?? "*"], change: change)])
  }
}
