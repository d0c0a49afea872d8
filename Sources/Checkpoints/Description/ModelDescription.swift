import Tensors

/// What a layer does in its block, or in the model.
public enum Role: String, Codable, Hashable, Sendable, CaseIterable {
  case embedTokens = "embed_tokens"
  case query = "q_proj"
  case key = "k_proj"
  case value = "v_proj"
  case attentionOutput = "o_proj"
  case gate = "gate_proj"
  case up = "up_proj"
  case down = "down_proj"
  case head = "lm_head"
}

/// One weight matrix that can be compressed, under its Hugging Face name whatever it came from.
public struct LayerDescription: Codable, Hashable, Sendable {
  /// For example `model.layers.12.mlp.down_proj`: the tensor's name without `.weight`.
  public let name: String
  public let role: Role
  /// Index of the decoder block; nil for the embedding and the LM head.
  public let block: Int?
  /// Output channels.
  public let rows: Int
  /// Input channels.
  public let columns: Int
  /// How the checkpoint stores it; the type that codes of compressed-tensors decode to.
  public let type: ElementType
  /// How its weights are quantized in the checkpoint; nil for plain numbers.
  public let scheme: StoredScheme?
  /// Bytes that all its tensors take in the checkpoint.
  public let bytes: Int

  public init(
    name: String, role: Role, block: Int?, rows: Int, columns: Int, type: ElementType,
    scheme: StoredScheme? = nil, bytes: Int
  ) {
    self.name = name
    self.role = role
    self.block = block
    self.rows = rows
    self.columns = columns
    self.type = type
    self.scheme = scheme
    self.bytes = bytes
  }

  /// Number of weights.
  public var parameters: Int { rows * columns }
  /// How it is stored, in a few characters: `BF16`, `4 bit g64 sym`, `Q4_K`.
  public var storedText: String { scheme?.summary ?? type.rawValue }
}

/// The layout a checkpoint has on disk.
public enum CheckpointFormat: String, Codable, Hashable, Sendable {
  case huggingFace = "huggingface"
  case gguf
}

/// How RoPE frequencies are stretched beyond the trained context (Llama 3's rule).
public struct RopeScaling: Codable, Hashable, Sendable {
  public let factor: Double
  public let lowFrequencyFactor: Double
  public let highFrequencyFactor: Double
  /// Context length in tokens that the model was first trained on.
  public let originalContextLength: Int

  public init(
    factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double,
    originalContextLength: Int
  ) {
    self.factor = factor
    self.lowFrequencyFactor = lowFrequencyFactor
    self.highFrequencyFactor = highFrequencyFactor
    self.originalContextLength = originalContextLength
  }
}

/// A model's shape and layers, the same whichever format its checkpoint has.
public struct ModelDescription: Codable, Hashable, Sendable {
  /// The model's name for people: the directory's or the file's, without suffix.
  public let name: String
  /// The checkpoint's path as it was opened.
  public let path: String
  public let format: CheckpointFormat
  /// `llama` is what this version runs.
  public let architecture: String
  public let hiddenSize: Int
  public let intermediateSize: Int
  public let blockCount: Int
  public let headCount: Int
  public let keyValueHeadCount: Int
  public let headSize: Int
  public let vocabularySize: Int
  /// Longest context in tokens.
  public let contextLength: Int
  public let ropeTheta: Double
  public let ropeScaling: RopeScaling?
  public let normEpsilon: Double
  /// Whether the LM head is the embedding matrix.
  public let tiesEmbeddings: Bool
  /// Weights in all tensors, norms included.
  public let parameterCount: Int
  /// Bytes of all tensors as the checkpoint stores them.
  public let tensorBytes: Int
  /// SHA-256 of the checkpoint's header (tensor names, types, shapes, offsets), hexadecimal.
  public let fingerprint: String
  /// Embedding first, then block by block in the order data meets them, then the LM head if untied.
  public let layers: [LayerDescription]
  /// What the checkpoint asks for and Vise does not do, or other programs do differently: a sentence each.
  public let notes: [String]

  public init(
    name: String, path: String, format: CheckpointFormat, architecture: String, hiddenSize: Int,
    intermediateSize: Int, blockCount: Int, headCount: Int, keyValueHeadCount: Int, headSize: Int,
    vocabularySize: Int, contextLength: Int, ropeTheta: Double, ropeScaling: RopeScaling?,
    normEpsilon: Double, tiesEmbeddings: Bool, parameterCount: Int, tensorBytes: Int,
    fingerprint: String, layers: [LayerDescription], notes: [String] = []
  ) {
    self.name = name
    self.path = path
    self.format = format
    self.architecture = architecture
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.blockCount = blockCount
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount
    self.headSize = headSize
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.ropeTheta = ropeTheta
    self.ropeScaling = ropeScaling
    self.normEpsilon = normEpsilon
    self.tiesEmbeddings = tiesEmbeddings
    self.parameterCount = parameterCount
    self.tensorBytes = tensorBytes
    self.fingerprint = fingerprint
    self.layers = layers
    self.notes = notes
  }
}
