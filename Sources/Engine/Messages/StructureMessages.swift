import Compression

/// What to prune the model to, and the text to choose by.
public struct StructureRequest: Codable, Hashable, Sendable {
  /// A text as for calibration.
  public var textPath: String
  /// How many neurons, heads and experts stay, and which blocks go; what each block loses is chosen anew.
  public var structure: ModelStructure
  /// Blocks to leave out in place of the structure's, those whose absence costs least KLD; nil leaves out the structure's.
  public var blockCount: Int?
  /// Tokens a window, each read afresh; nil for ``StandardWindow``.
  public var window: Int?
  /// Tokens that the model without each of the blocks is measured on.
  public var blockTokens: Int
  /// Tokens that gradients are taken on, by which neurons and heads are chosen.
  public var gradientTokens: Int

  public init(
    textPath: String, structure: ModelStructure, blockCount: Int? = nil, window: Int? = nil,
    blockTokens: Int = 1024, gradientTokens: Int = 4096
  ) {
    self.textPath = textPath
    self.structure = structure
    self.blockCount = blockCount
    self.window = window
    self.blockTokens = blockTokens
    self.gradientTokens = gradientTokens
  }
}

/// One block that was chosen to be left out.
public struct BlockLoss: Codable, Hashable, Sendable {
  /// Counted as in the whole model.
  public var block: Int
  /// Measured KLD of the model without it and all blocks chosen before, in nats a token.
  public var divergence: Double

  public init(block: Int, divergence: Double) {
    self.block = block
    self.divergence = divergence
  }
}

/// A structure with nothing left to choose.
public struct ChosenStructure: Codable, Hashable, Sendable {
  public var structure: ModelStructure
  /// The blocks that were chosen, the first choice first; none where they were given.
  public var losses: [BlockLoss]
  /// Measured KLD of the model without the blocks and experts that go, in nats a token; nil where no expert goes.
  public var expertDivergence: Double?

  public init(
    structure: ModelStructure, losses: [BlockLoss] = [], expertDivergence: Double? = nil
  ) {
    self.structure = structure
    self.losses = losses
    self.expertDivergence = expertDivergence
  }
}
