import Tensors

/// One weight matrix that can be compressed, under its Hugging Face name whatever it came from.
public struct LayerDescription: Codable, Hashable, Sendable {
  /// For example `model.layers.12.mlp.down_proj`: the tensor's name without `.weight`.
  public let name: String
  public let role: Role
  /// Index of the decoder block; nil for the embedding and the LM head.
  public let block: Int?
  /// llama.cpp's name of the tensor, for example `blk.12.ffn_down.weight`; the layer's own where it has none.
  public let ggufName: String
  /// What it reads; nil where that is not known, and for an embedding that is no head too: it is looked up.
  public let site: InputSite?
  /// The layer into which vLLM fuses this one; nil for none.
  public let fusion: String?
  /// Matrices of which its rows are made, one below the other: experts; 1 for all others.
  public let count: Int
  /// Output channels, of all experts.
  public let rows: Int
  /// Input channels.
  public let columns: Int
  /// How the checkpoint stores it; the type that codes of compressed-tensors decode to.
  public let type: ElementType
  /// How its weights are quantized in the checkpoint; nil for plain numbers.
  public let scheme: WeightFormat?
  /// Bytes that all its tensors take in the checkpoint.
  public let bytes: Int

  public init(
    name: String, role: Role, block: Int?, ggufName: String? = nil, site: InputSite? = nil,
    fusion: String? = nil, count: Int = 1, rows: Int, columns: Int, type: ElementType,
    scheme: WeightFormat? = nil, bytes: Int
  ) {
    self.name = name
    self.role = role
    self.block = block
    self.ggufName = ggufName ?? name + ".weight"
    self.site = site
    self.fusion = fusion
    self.count = count
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

/// A model's layers and what is known of its computation, the same whichever format its checkpoint has.
public struct ModelDescription: Codable, Hashable, Sendable {
  /// The model's name for people: the directory's or the file's, without suffix.
  public let name: String
  /// The checkpoint's path as it was opened.
  public let path: String
  public let format: CheckpointFormat
  /// What the checkpoint calls its architecture, in the words of config.json where Vise runs it.
  public let architecture: String
  /// How it computes; nil where it does not run.
  public let blueprint: Blueprint?
  public let abilities: Abilities
  /// Weights in all tensors, norms included.
  public let parameterCount: Int
  /// Bytes of all tensors as the checkpoint stores them.
  public let tensorBytes: Int
  /// SHA-256 of what the headers say of all tensors and of what these hold, hexadecimal: of every byte up to 64 MiB of
  /// tensors, beyond that of 16 pages of 4 KiB of each, or fewer of very many tensors.
  public let fingerprint: String
  /// SHA-256 of the headers alone, which fingerprints were in earlier files; nil where the model was not read from files.
  public let headerFingerprint: String?
  /// Embedding first, then block by block in the order data meets them, then the LM head if untied.
  public let layers: [LayerDescription]
  /// What the checkpoint asks for and Vise does not do, or other programs do differently: a sentence each.
  public let notes: [String]
  /// What settings say of serving where there is no blueprint; ``serving`` answers for all models.
  let statedServing: ServingFacts?

  public init(
    name: String, path: String, format: CheckpointFormat, architecture: String,
    blueprint: Blueprint?, abilities: Abilities = .all, parameterCount: Int, tensorBytes: Int,
    fingerprint: String, layers: [LayerDescription], notes: [String] = [],
    headerFingerprint: String? = nil, serving: ServingFacts? = nil
  ) {
    self.name = name
    self.path = path
    self.format = format
    self.architecture = architecture
    self.blueprint = blueprint
    self.abilities = abilities
    self.parameterCount = parameterCount
    self.tensorBytes = tensorBytes
    self.fingerprint = fingerprint
    self.headerFingerprint = headerFingerprint
    self.layers = layers
    self.notes = notes
    statedServing = serving
  }

  /// Values of a hidden state; 0 where it is not known.
  public var hiddenSize: Int { blueprint?.hiddenSize ?? 0 }
  /// Token ids that the model reads and writes; 0 where it is not known.
  public var vocabularySize: Int { blueprint?.vocabularySize ?? 0 }
  /// Longest context in tokens; 0 where it is not known.
  public var contextLength: Int { blueprint?.contextLength ?? 0 }
  /// Whether the LM head is the embedding matrix, as far as is known.
  public var tiesEmbeddings: Bool { blueprint?.tiesEmbeddings ?? false }
  /// Decoder blocks, or those that layers are in where no more is known.
  public var blockCount: Int {
    blueprint?.blocks.count ?? layers.reduce(0) { max($0, ($1.block ?? -1) + 1) }
  }

  /// Every tensor of the model, layers in their order and norms among them; none where the architecture does not run.
  package var tensors: [ModelTensor] {
    guard let blueprint else { return [] }
    return Architecture.named(architecture)?.tensors(of: blueprint) ?? []
  }
}
