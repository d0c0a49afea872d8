/// All that a decoder has to know of a model beside its weights, whichever format it was read from.
///
/// An ``Architecture`` makes it from a model's settings; from then on nothing asks what the family is called.
public struct Blueprint: Codable, Hashable, Sendable {
  public var hiddenSize: Int
  public var vocabularySize: Int
  /// Longest context in tokens.
  public var contextLength: Int
  public var normEpsilon: Double
  public var norm: NormKind
  /// What embeddings are multiplied by once they are looked up.
  public var embeddingScale: Float
  /// What logits are multiplied by.
  public var logitScale: Float
  /// The bound that logits are bent to: cap * tanh(logit / cap).
  public var logitSoftcap: Float?
  /// The ways in which positions turn queries and keys; blocks refer to them by index.
  public var ropes: [RopeFacts]
  public var blocks: [BlockFacts]
  /// Whether the LM head is the embedding matrix.
  public var tiesEmbeddings: Bool
  /// What precedes the names of the decoder's tensors in a Hugging Face checkpoint: `model.`.
  public var prefix: String
  /// The LM head's name there.
  public var headName: String
  /// Embeddings of each block's own; nil for none.
  public var perLayer: PerLayerFacts? = nil
  /// Blocks after these that a file holds and counts and that predict further tokens, which nothing here computes.
  public var furtherBlocks = 0

  /// What the first block with attention says of it; nil where none has any.
  public var attention: AttentionFacts? { blocks.lazy.compactMap(\.attention).first }

  /// What the first block with an MLP that all tokens run through says of it; nil where there is none.
  package var dense: DenseFacts? {
    blocks.lazy.compactMap(\.feedForward.dense).first
  }

  /// What the first block of experts says of them; nil where there are none.
  package var experts: ExpertFacts? {
    blocks.lazy.compactMap { if case .experts(let facts) = $0.feedForward { facts } else { nil } }
      .first
  }
}

/// How hidden states are normalised.
public enum NormKind: String, Codable, Hashable, Sendable {
  /// x / rms(x) * w (Zhang and Sennrich 2019).
  case rms
  /// (x - mean(x)) / deviation(x) * w + b (Ba et al. 2016).
  case layer
}

/// Where a block's norms stand.
public enum NormPlacement: String, Codable, Hashable, Sendable {
  /// Before attention and before the feed-forward half.
  case before
  /// After each half, before it is added.
  case after
  /// Before and after.
  case around
}

/// What mixes a block's positions.
public enum MixerFacts: Codable, Hashable, Sendable {
  case attention(AttentionFacts)
  case delta(DeltaFacts)
  case convolution(ConvolutionFacts)
  case mamba(MambaFacts)

  /// Numbers that it keeps of a sequence however long that is: those of a recurrence, and those of the rows that a short
  /// convolution still sees; nil for attention.
  package var state: (values: Int, window: Int)? {
    switch self {
    case .attention: nil
    case .delta(let delta): (delta.recurrentValues, (delta.taps - 1) * delta.mixedWidth)
    case .convolution(let facts): (0, (facts.taps - 1) * facts.channels)
    case .mamba(let mamba): (mamba.recurrentValues, (mamba.taps - 1) * mamba.mixedWidth)
    }
  }

  /// All of these; 0 for attention.
  package var stateValues: Int { state.map { $0.values + $0.window } ?? 0 }
}

/// One decoder block: what mixes its positions, then a feed-forward half.
public struct BlockFacts: Codable, Hashable, Sendable {
  public var mixer: MixerFacts
  public var feedForward: FeedForwardFacts
  public var norms: NormPlacement
  /// What both halves' outputs are multiplied by before they are added.
  public var residualScale: Float
  /// Parts that have biases, as ``Part`` names them.
  public var biases: Set<String>
  /// Whether the block's hidden states are multiplied by a number of its own before the next one reads them.
  public var hasOutputScale = false

  package func hasBias(_ part: Part) -> Bool { biases.contains(part.rawValue) }

  /// Nil for a block with another mixer.
  public var attention: AttentionFacts? {
    if case .attention(let facts) = mixer { facts } else { nil }
  }
  /// Nil for a block with another mixer.
  public var delta: DeltaFacts? { if case .delta(let facts) = mixer { facts } else { nil } }
  /// Nil for a block with another mixer.
  public var mamba: MambaFacts? { if case .mamba(let facts) = mixer { facts } else { nil } }
  /// Nil for a block with another mixer.
  public var convolution: ConvolutionFacts? {
    if case .convolution(let facts) = mixer { facts } else { nil }
  }
}

/// How queries and keys are normalised before RoPE turns them.
public enum QueryKeyNorm: String, Codable, Hashable, Sendable {
  case none
  /// Each head by itself.
  case perHead
  /// All heads together.
  case wholeWidth
}

/// Causal attention with grouped queries.
public struct AttentionFacts: Codable, Hashable, Sendable {
  public var headCount: Int
  public var keyValueHeadCount: Int
  public var headSize: Int
  /// What scores are multiplied by.
  public var scale: Float
  /// The bound that scores are bent to: cap * tanh(score / cap).
  public var softcap: Float?
  /// Positions that a query sees, its own counted; nil for all before it.
  public var window: Int?
  /// Which of the model's ``Blueprint/ropes`` turns queries and keys; nil for none.
  public var rope: Int?
  public var queryKeyNorm: QueryKeyNorm
  /// Whether q, k and v are one matrix.
  public var isFused: Bool
  /// How queries grow with their position; nil where they do not.
  public var queryGrowth: QueryGrowth?
  /// Whether each head has a learned logit that takes part in its softmax and has no value.
  public var hasSinks = false
  /// Whether what k gives serves as values too, as it is before any norm: there is no v.
  public var keysAreValues = false
  /// Whether each head's values are normalised, without weights.
  public var normalizesValues = false
  /// The block before whose keys and values are read; nil for the block's own.
  public var cacheBlock: Int? = nil
  /// Whether q gives each head's query and after it as many values whose sigmoids gate what the head gives.
  public var isGated = false

  /// How queries, keys and values follow from latent rows; nil where each is a projection of its own.
  public var latent: LatentFacts?

  /// Values of a value's head, and of a head's output.
  public var valueSize: Int { latent?.valueSize ?? headSize }
  /// Values of all heads' queries.
  public var queryWidth: Int { headCount * headSize }
  /// Values of all heads' keys.
  public var keyWidth: Int { keyValueHeadCount * headSize }
  /// Values of all heads' outputs.
  public var outputWidth: Int { headCount * valueSize }
  /// The first value of each head that positions turn.
  package var firstTurned: Int { latent.map { headSize - $0.turnedSize } ?? 0 }
}

/// Multi-head latent attention (DeepSeek-V2, 2024): keys and values of all heads follow from one row of few values.
public struct LatentFacts: Codable, Hashable, Sendable {
  /// Values of the row that queries follow from; nil where they are projected from hidden states.
  public var queryRank: Int?
  /// Values of the row that keys and values follow from.
  public var rank: Int
  /// Values of a key that positions turn, which all heads share; they follow the others.
  public var turnedSize: Int
  public var valueSize: Int
  /// The epsilon of the norms of both rows.
  public var normEpsilon: Double
  /// Whether keys and values have a matrix each, that of keys by head with inputs for rows, as llama.cpp has them.
  public var isSplit: Bool

  /// Values of the part of a key that each head has to itself, given its size.
  package func ownSize(ofHead size: Int) -> Int { size - turnedSize }
}

/// Ministral 3's and Llama 4's queries: times 1 + beta * log(1 + floor(position / length)).
public struct QueryGrowth: Codable, Hashable, Sendable {
  public var beta: Float
  /// In tokens.
  public var length: Int
}

/// What bends the inner values of a feed-forward half.
public enum ActivationKind: String, Codable, Hashable, Sendable {
  case silu
  /// GELU by its tanh approximation.
  case geluTanh
  /// GELU by the error function.
  case gelu
  case relu
  /// gpt-oss' gate and values, both bounded: see ``Activation/clampedSwiGLU``.
  case clampedSwiGLU
}

extension Blueprint {
  /// Blocks whose keys and values others read, too.
  package var sharedBlocks: Set<Int> { Set(blocks.compactMap { $0.attention?.cacheBlock }) }
}

/// A block's half after attention.
public enum FeedForwardFacts: Codable, Hashable, Sendable {
  case dense(DenseFacts)
  case experts(ExpertFacts)

  /// The MLP that all tokens run through, alone or beside experts; nil where there is none.
  package var dense: DenseFacts? {
    switch self {
    case .dense(let facts): facts
    case .experts(let facts): facts.beside
    }
  }

  /// Of one expert, where there are several.
  public var innerSize: Int {
    switch self {
    case .dense(let facts): facts.innerSize
    case .experts(let facts): facts.innerSize
    }
  }
}

/// An MLP that every token runs through.
public struct DenseFacts: Codable, Hashable, Sendable {
  public var innerSize: Int
  public var activation: ActivationKind
  /// Whether values are multiplied by an activated gate (Shazeer 2020), or are activated themselves.
  public var isGated: Bool
  /// Whether gate and up are one matrix.
  public var isFused: Bool
}

/// How a router weighs the experts that it chooses.
public enum RouterKind: String, Codable, Hashable, Sendable {
  /// By the probabilities that all experts share.
  case softmax
  /// By those probabilities divided by the sum of the chosen ones': what the chosen ones alone would share.
  case softmaxOfChosen
  /// By the sigmoid of each expert's own logit.
  case sigmoid
  /// By those sigmoids divided by the sum of the chosen ones'.
  case sigmoidOfChosen

  /// Whether experts do not share what they are weighed by.
  package var isSigmoid: Bool { self == .sigmoid || self == .sigmoidOfChosen }
  /// Whether the weights of the chosen experts add up to one.
  package var isOfChosen: Bool { self == .softmaxOfChosen || self == .sigmoidOfChosen }

  /// The same score with weights that add up to one, or as they are.
  func ofChosen(_ isOfChosen: Bool) -> RouterKind {
    isSigmoid ? isOfChosen ? .sigmoidOfChosen : .sigmoid : isOfChosen ? .softmaxOfChosen : .softmax
  }
}

/// Groups of experts, of which a router chooses some before it chooses experts among theirs (DeepSeek-V2, 2024).
public struct ExpertGroups: Codable, Hashable, Sendable {
  public var count: Int
  public var chosenCount: Int
  /// How many of a group's best experts count when groups are compared.
  public var comparedCount: Int
}

/// A mixture of experts, of which each token runs through a few.
public struct ExpertFacts: Codable, Hashable, Sendable {
  public var count: Int
  /// Experts that a token runs through.
  public var chosenCount: Int
  public var innerSize: Int
  public var activation: ActivationKind
  public var router: RouterKind
  /// Whether gates and ups are one tensor.
  public var isFused: Bool
  /// Inner size of the expert that all tokens run through beside; nil for none.
  public var sharedInnerSize: Int?
  /// Whether its gate and up are one matrix.
  public var fusesShared = false
  /// Whether that expert is weighed by a sigmoid gate of its own.
  public var weighsShared: Bool
  /// What the chosen experts' weights are multiplied by.
  public var weightScale: Float = 1
  /// Whether experts have biases that they are chosen by, and not weighed by.
  public var hasChoiceBias = false
  /// nil where experts are chosen among all.
  public var groups: ExpertGroups?
  /// The MLP beside them, which reads and adds under norms of its own; nil for none.
  ///
  /// The router then normalises and scales what it reads, and each expert's weight (Gemma 4).
  public var beside: DenseFacts? = nil
}

/// Embeddings that each block has of its own, for it to gate and add (Gemma 3n and 4).
public struct PerLayerFacts: Codable, Hashable, Sendable {
  /// Values of a block's embedding.
  public var size: Int
  /// Token ids that have one.
  public var vocabularySize: Int
  /// What bends the gate.
  public var activation: ActivationKind
}
