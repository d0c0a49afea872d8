import Tensors

/// What calibration knows of the inputs of a layer; layers that read the same input share it.
public struct InputStatistics: Hashable, Sendable {
  /// An expert that read fewer tokens is compressed as if there were no calibration.
  ///
  /// GPTQ's output error over that of rounding, on text that it has not seen (SmolLM2 135M, 3 and 4 bits, groups of 32):
  /// 0.95 to 1.01 after 1 token, 0.59 to 1.03 after 16, 0.55 to 0.96 after 64, 0.43 to 0.84 after one for each channel.
  public static let leastTokens = 16

  /// Tokens that it was collected from.
  public let tokens: Int
  /// Mean of each input channel, E[x_j]; zeros where it is not known, as from an imatrix.
  public let means: [Float]
  /// Second moment of each input channel, E[x_j^2]: what llama.cpp calls importance.
  public let secondMoments: [Float]
  /// All second moments, E[x x^T], columns x columns and symmetric; nil where only the diagonal is kept.
  public let gram: Matrix?
  /// What each expert of a stack reads, nil for such as read nothing; empty for layers that read all tokens alike.
  public private(set) var experts: [InputStatistics?] = []

  /// Statistics of `secondMoments.count` input channels.
  ///
  /// - Precondition: all parts are of the same number of channels.
  public init(tokens: Int, means: [Float], secondMoments: [Float], gram: Matrix? = nil) {
    precondition(means.count == secondMoments.count, "a mean and a second moment a channel")
    if let gram {
      precondition(gram.rows == means.count && gram.columns == means.count, "a square matrix")
    }
    self.tokens = tokens
    self.means = means
    self.secondMoments = secondMoments
    self.gram = gram
  }

  /// Input channels.
  public var columns: Int { secondMoments.count }

  /// Whether these are of an expert that read too few tokens for what is known of it to be of use.
  public var isMissed: Bool { Self.isMissed(tokens: tokens) }

  /// Whether an expert that read so many tokens is compressed as if there were no calibration.
  public static func isMissed(tokens: Int) -> Bool { tokens < leastTokens }

  /// The same without the second moments of pairs.
  public var withoutGram: InputStatistics {
    InputStatistics(tokens: tokens, means: means, secondMoments: secondMoments)
      .with(experts: experts.map { $0?.withoutGram })
  }

  /// The same of a stack whose experts read apart.
  public func with(experts: [InputStatistics?]) -> InputStatistics {
    var statistics = self
    statistics.experts = experts
    return statistics
  }
}

/// What a scheme needs to know of a layer's inputs.
public enum CalibrationNeed: Int, Comparable, Hashable, Sendable {
  /// Nothing: weights alone decide.
  case nothing
  /// The second moment of each input channel.
  case moments
  /// The second moments of all pairs of input channels.
  case gram

  public static func < (left: CalibrationNeed, right: CalibrationNeed) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension Scheme {
  /// What must be known of a layer's inputs before it can be compressed so.
  public var calibrationNeed: CalibrationNeed {
    max(quantization?.calibrationNeed ?? .nothing, sparsity?.calibrationNeed ?? .nothing)
  }

  /// Whether errors of weights are chosen so that they cancel in a layer's outputs.
  public var cancelsErrors: Bool { calibrationNeed == .gram }
}

extension QuantizationScheme {
  /// What must be known of a layer's inputs before it can be quantized so.
  public var calibrationNeed: CalibrationNeed {
    switch method {
    case .gptq, .awq: .gram
    case .rtn, .hqq: range == .weighted ? .moments : .nothing
    }
  }
}

extension SparsityScheme {
  /// What must be known of a layer's inputs before it can be pruned so.
  public var calibrationNeed: CalibrationNeed {
    switch method {
    case .magnitude: .nothing
    case .wanda: .moments
    case .sparsegpt: .gram
    }
  }
}
