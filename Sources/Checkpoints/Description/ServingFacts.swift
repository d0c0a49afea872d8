/// What serving a model takes beside its weights: what each block keeps of a sequence, and sizes of its inner values.
public struct ServingFacts: Codable, Hashable, Sendable {
  /// Values of a hidden state.
  public var hiddenSize: Int
  public var vocabularySize: Int
  /// Longest context in tokens.
  public var contextLength: Int
  /// Experts of a block that a token runs through; nil where there are none.
  public var chosenExperts: Int?
  /// Of every block of the decoder, in order.
  public var blocks: [BlockCacheFacts]

  public init(
    hiddenSize: Int, vocabularySize: Int, contextLength: Int, chosenExperts: Int? = nil,
    blocks: [BlockCacheFacts]
  ) {
    self.hiddenSize = hiddenSize
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.chosenExperts = chosenExperts
    self.blocks = blocks
  }
}

/// What one block keeps of a sequence that was read.
public struct BlockCacheFacts: Codable, Hashable, Sendable {
  /// Heads whose keys and values are kept, or 1 where they follow from one latent row; 0 where a block keeps none.
  public var keyHeads: Int
  /// Values that each of these heads keeps of a position: its key's and its value's, or those of the latent row.
  public var valuesAHead: Int
  /// Whether keys and values follow from one latent row (multi-head latent attention, arXiv 2405.04434).
  public var isLatent: Bool
  /// Positions that queries see, their own counted; nil for all before them.
  public var window: Int?
  /// Query heads times the size of their keys.
  public var queryWidth: Int
  /// 32-bit values of a state that does not grow with the sequence: of a recurrence, or of a short convolution.
  public var stateValues: Int

  public init(
    keyHeads: Int = 0, valuesAHead: Int = 0, isLatent: Bool = false, window: Int? = nil,
    queryWidth: Int = 0, stateValues: Int = 0
  ) {
    self.keyHeads = keyHeads
    self.valuesAHead = valuesAHead
    self.isLatent = isLatent
    self.window = window
    self.queryWidth = queryWidth
    self.stateValues = stateValues
  }

  /// Values that are kept of each position.
  public var valuesAPosition: Int { keyHeads * valuesAHead }
}

extension ServingFacts {
  /// Those of a model that runs.
  init(_ blueprint: Blueprint) {
    self.init(
      hiddenSize: blueprint.hiddenSize, vocabularySize: blueprint.vocabularySize,
      contextLength: blueprint.contextLength, chosenExperts: blueprint.experts?.chosenCount,
      blocks: blueprint.blocks.map { block in
        switch block.mixer {
        case .attention(let attention) where attention.cacheBlock != nil:
          BlockCacheFacts(queryWidth: attention.queryWidth)
        case .attention(let attention):
          if let latent = attention.latent {
            BlockCacheFacts(
              keyHeads: 1, valuesAHead: latent.rank + latent.turnedSize, isLatent: true,
              window: attention.window, queryWidth: attention.queryWidth)
          } else {
            BlockCacheFacts(
              keyHeads: attention.keyValueHeadCount, valuesAHead: 2 * attention.headSize,
              window: attention.window, queryWidth: attention.queryWidth)
          }
        case .delta, .convolution, .mamba:
          BlockCacheFacts(stateValues: block.mixer.stateValues)
        }
      })
  }
}

extension ModelDescription {
  /// What serving takes beside the weights; nil where the checkpoint's settings do not say it in known words.
  public var serving: ServingFacts? { blueprint.map(ServingFacts.init) ?? statedServing }
}
