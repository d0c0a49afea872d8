import ArgumentParser
import Compression
import Tensors

extension GroupSize: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension RangeSearch: ExpressibleByArgument {}

/// Zeros to put in: a share, a pattern, and the method behind it.
struct SparsityArgument: ExpressibleByArgument {
  let scheme: SparsityScheme

  /// Reads `0.5`, `50%`, `2:4`, `2:4 50 %`, and a method such as `wanda` behind them; nil for anything else.
  init?(argument: String) {
    guard let said = SchemeText(argument), said.isSparsityOnly, let pattern = said.pattern else {
      return nil
    }
    scheme = SparsityScheme(pattern: pattern, method: said.pruning ?? .magnitude)
  }
}

extension SchemeText: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
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
    let said = SchemeText(argument)
    (block, float) = (said?.block, said?.float)
    // What stands behind the name would be lost.
    guard let name = block?.rawValue ?? float?.rawValue,
      name.lowercased() == argument.lowercased()
    else { return nil }
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

  @Option(help: "The share of weights to zero (50% or 0.5), or how many of how many survive (2:4).")
  var sparsity: SparsityArgument?

  @Option(help: "All of these in words, as Vise prints schemes: \"4 bit g64 asym mse, 2:4 50 %\".")
  var scheme: SchemeText?

  @Option(help: "Which layers: a glob, or `re:` and a regular expression, over their names.")
  var layers: String?

  /// Whether any of these options says what to do.
  var isEmpty: Bool { bits == nil && type == nil && sparsity == nil && scheme == nil }

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
    if let sparsity { change.sparsity = .scheme(sparsity.scheme) }
    if let scheme { change = change.followed(by: scheme.change) }
    return Plan(rules: [PlanRule(layers: [layers ?? "*"], change: change)])
  }
}
