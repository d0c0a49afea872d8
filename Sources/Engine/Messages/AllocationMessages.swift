import Allocation
import Compression
import Export

/// What an allocation has to reach.
public enum BudgetTarget: Codable, Hashable, Sendable {
  /// Least predicted KLD in at most so many bytes: of the target's files, or of all tensors where there is no target.
  case bytes(Int)
  /// The same, with the bytes given as bits a weight of the model, norms counted.
  case bitsPerWeight(Double)
  /// Fewest bytes at a predicted KLD of at most so many nats a token.
  case divergence(Double)
}

/// What an allocation may choose from.
public struct AllocationSettings: Codable, Hashable, Sendable {
  /// Schemes that layers may get; nil allows all that sensitivity was measured for.
  public var candidates: [Scheme]?
  /// Layers that keep the current plan's scheme.
  public var pinned: [String]
  /// Whether q, k, v and gate, up get the same scheme, as vLLM's fused layers need.
  public var fusesLayers: Bool
  /// Who is to load the model: layers get only what it can hold, are alike where it needs that, and bytes are those of its
  /// files; nil for nobody yet.
  public var target: ExportTarget?
  /// Whether to solve exactly, by dynamic programming.
  public var isExact: Bool
  /// Whether budgets count pruned layers as survivors and a bitmask, which no export format stores.
  public var countsBitmasks: Bool

  public init(
    candidates: [Scheme]? = nil, pinned: [String] = [], fusesLayers: Bool = false,
    target: ExportTarget? = nil, isExact: Bool = false, countsBitmasks: Bool = false
  ) {
    self.candidates = candidates
    self.pinned = pinned
    self.fusesLayers = fusesLayers
    self.target = target
    self.isExact = isExact
    self.countsBitmasks = countsBitmasks
  }
}

/// The plan that a solver found for a target.
public struct AllocationResult: Codable, Hashable, Sendable {
  public var target: BudgetTarget
  /// The scheme of every layer, by name.
  public var schemes: [String: Scheme]
  /// Bytes of the target's files, or of all tensors as they are stored where there is no target.
  public var bytes: Int
  /// The same with bitmasks in place of zeros, which the target was about; nil unless it was.
  public var bytesWithBitmasks: Int?
  public var bitsPerWeight: Double
  public var divergence: PredictedDivergence
  /// How far at most the sum of predicted KLDs lies above the least possible one, as a share of it.
  public var gap: Double

  public init(
    target: BudgetTarget, schemes: [String: Scheme], bytes: Int, bytesWithBitmasks: Int? = nil,
    bitsPerWeight: Double, divergence: PredictedDivergence, gap: Double
  ) {
    self.target = target
    self.schemes = schemes
    self.bytes = bytes
    self.bytesWithBitmasks = bytesWithBitmasks
    self.bitsPerWeight = bitsPerWeight
    self.divergence = divergence
    self.gap = gap
  }
}

/// One plan as a point of bytes against KLD.
public struct FrontierPoint: Codable, Hashable, Sendable {
  /// What kind of plan it is.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// The best that the solver finds for its bytes.
    case best
    /// The same scheme for every layer.
    case uniform
    /// A fixed mixture such as llama-quantize makes, or a quantized file as it is.
    case mix
    /// The plan as it is.
    case current
  }

  public var kind: Kind
  /// What the plan is called; empty for points of the curve.
  public var name: String
  public var bytes: Int
  /// In nats a token.
  public var divergence: Double

  public init(kind: Kind, name: String = "", bytes: Int, divergence: Double) {
    self.kind = kind
    self.name = name
    self.bytes = bytes
    self.divergence = divergence
  }
}

/// Predicted KLD against bytes, over all that the settings allow.
public struct Frontier: Codable, Hashable, Sendable {
  /// Points of kind `best`, by bytes.
  public var curve: [FrontierPoint]
  /// Uniform plans and mixtures.
  public var marks: [FrontierPoint]

  public init(curve: [FrontierPoint], marks: [FrontierPoint]) {
    self.curve = curve
    self.marks = marks
  }
}
