/// What an architecture is, for every part of Vise that asks.
///
/// There is one value a family, and nothing else names a family.
/// A family that needs no new mechanism is one value in `Families`, and one line in ``all``.
package struct Architecture: Sendable {
  /// Which blocks see a window only, where neither config.json's `layer_types` nor GGUF's pattern says so.
  enum WindowRule: Sendable {
    /// No block, even if a window is given.
    case none
    /// Every block.
    case all
    /// All but the last of every so many.
    case allButEvery(Int)
    /// From block `max_window_layers` on, if `use_sliding_window` is set (Qwen 2).
    case switched
    /// Every block, if `use_sliding_window` is set (Qwen 3's mixture).
    case switchedForAll
    /// Every other block before `max_window_layers`, if `use_sliding_window` is set (Qwen 2's mixture).
    case switchedForEveryOther
    /// Blocks without RoPE, if `use_sliding_window` is set (SmolLM 3).
    case switchedWithoutRope
  }

  /// Which layers have biases in config.json's words; in GGUF the file's tensors say it.
  enum Biases: Sendable {
    case always(Set<Part>)
    /// Where a flag is set; `standard` where it is not given.
    case flagged([String: Set<Part>], standard: Bool)
  }

  /// How wide the steps of embeddings are.
  enum EmbeddingScale: Sendable {
    case none
    /// The root of the hidden size; in single precision, as llama.cpp and transformers have it there.
    case rootOfHidden
    /// As a setting says.
    case setting
  }

  /// The feed-forward half.
  enum FeedForward: Sendable {
    case gated
    /// Gate and up are one matrix in both formats.
    case fusedGated
    /// No gate: up, activation, down.
    case plain
    case experts(ExpertRule)
  }

  /// What differs between mixtures of experts.
  struct ExpertRule: Sendable {
    var router: RouterKind
    /// A flag of config.json that makes the router ``RouterKind/softmaxOfChosen``, with its standard; nil for none.
    var normalizing: (flag: String, standard: Bool)?
    /// Whether Hugging Face checkpoints hold gates and ups as one tensor.
    var isFused = false
    /// Whether there is a shared expert with a gate of its own.
    var hasWeighedShared = false
    /// The expert's inner size has the word that dense models have for theirs.
    var usesDenseInnerSize = false
    /// How Hugging Face checkpoints lay out stacks.
    var layout = StackLayout()
    /// Parts that have biases in every checkpoint.
    var biases: Set<Part> = []
    /// Whether experts have biases that they are chosen by; in GGUF the file's tensors say it.
    var hasChoiceBias = false
    /// How many of a group's best experts count when groups are compared; nil for no groups.
    var comparedInGroup: Int?
    /// The word of config.json's `topk_method` with which groups count; nil where they always do.
    var groupingMethod: String?
    /// Whether there is a setting for what weights are multiplied by.
    var scalesWeights = false
    /// Whether a shared expert runs beside the others, or alone where there are none, whose gate and up are one matrix in Hugging
    /// Face checkpoints and two in GGUF.
    var fusesShared = false
    /// Whether some shared experts, which are one matrix, run beside the others.
    var hasShared = false
    /// Whether the first blocks are dense.
    var leadsDense = false
    /// config.json's key for how many they are; nil for that of most.
    var leadingKey: String?
    /// config.json's key for the number of experts; nil for that of most.
    var countKey: String?
    /// Whether GGUF metadata say by which function experts are weighed, and whether weights add up to one.
    var readsRouterInGGUF = false
    /// What they are weighed by where they do not say it.
    var ggufRouter: RouterKind?
    /// A flag of config.json without which all blocks are dense; nil where all models of the family are mixtures.
    var flag: String? = nil
    /// Whether experts stand beside an MLP, both under norms of their own, and routers have scales.
    var standsBesideDense = false
    /// Whether GGUF, too, holds gates and ups as one tensor, as llama.cpp's converter writes it.
    var isFusedInGGUF = false
  }

  /// The recurrence that some blocks have in attention's place.
  struct DeltaRule: Sendable {
    /// Whether Hugging Face checkpoints hold q, k, v and the gate as one matrix, and retentions and rates as another.
    var isFused = false
    /// Whether llama.cpp's converter puts value heads that share a key head apart.
    var tilesHeads = false
  }

  /// The words for it in config.json's `model_type`; the first names the architecture in Vise.
  var modelTypes: [String]
  /// The word for it in GGUF's `general.architecture`.
  package var ggufName: String
  /// The class of transformers that runs it, for a config.json that is written anew.
  package var className: String
  /// What parts are called where it is not ``Part/commonNames``.
  var names: [Part: String] = [:]
  /// What llama.cpp calls parts where it is not ``Part/ggufName``.
  var ggufNames: [Part: String] = [:]
  /// What config.json may leave out, since the class in transformers has it.
  var standards: [String: SettingValue] = [:]
  /// Numbers of config.json that llama.cpp has in its code: others are not computed here either.
  var fixedNumbers: [String: Double] = [:]
  /// What GGUF metadata may leave out, since llama.cpp has it: keys without the architecture's name.
  var ggufStandards: [String: SettingValue] = [:]
  /// Keys of GGUF metadata that llama.cpp honours in this family alone, and that are not honoured here.
  var refusedInGGUF: [String] = []
  /// Whether llama.cpp takes `rope.scaling.finetuned` for a sign that positions turn.
  var turnsByFinetunedFlag = false

  var norm: NormKind = .rms
  /// config.json's key for the norms' epsilon; nil for that of most.
  var epsilonKey: String?
  /// What has to be added to norms' weights as Hugging Face checkpoints have them; GGUF has them whole.
  var normOffset: Float = 0
  var norms: NormPlacement = .before
  var queryKeyNorm: QueryKeyNorm = .none
  /// The flag of config.json without which queries and keys are not normalised; nil where they always are.
  package var queryKeyNormFlag: String?
  var biases: Biases = .flagged([:], standard: false)
  var fusesAttention = false
  /// Whether keys and values follow from a latent row.
  package var hasLatentAttention = false
  /// Whether config.json's `rope_interleave` says which values of a head turn together.
  var readsInterleaving = false
  /// Whether GGUF files may have blocks beyond the decoder's, which predict further tokens.
  package var hasFurtherBlocks = false
  /// Keys of config.json that change what others compute, and not what the class in transformers does.
  var ignoredKeys: Set<String> = []
  /// Whether heads have sinks: logits without values.
  var hasSinks = false
  /// Whether q gives gates of what heads give, too.
  var gatesAttention = false
  /// What blocks without attention have instead; nil for families whose blocks have no Gated DeltaNet.
  var delta: DeltaRule?
  /// Whether blocks may have a short convolution in attention's place.
  package var hasConvolutions = false
  /// Whether blocks may have a Mamba-2 in attention's place.
  package var hasMamba = false
  /// Whether a setting says if positions turn at all.
  package var turnsBySetting = false
  /// Whether config.json's inner size is one that MLPs make smaller, as LFM2's first files have it.
  package var adjustsInnerSize = false
  var feedForward: FeedForward = .gated
  /// The key of config.json that names the activation, and what it is where none is named.
  package var activation: (key: String, standard: ActivationKind) = ("hidden_act", .silu)
  /// Whether config.json's "gelu" is the tanh form: Gemma's first checkpoints mean it, and transformers takes the word for it.
  var meansTanhByGELU = false

  var pairing: RopeFacts.Pairing = .halves
  /// Whether llama.cpp's converter orders rows of q and k anew, because its RoPE turns neighbours.
  var reordersRows = false
  /// A block of so many has no RoPE; nil for none.
  package var blockWithoutRope: Int?
  var window: WindowRule = .none
  /// The rule of GGUF files without a pattern; nil for that of ``window``.
  var ggufWindow: WindowRule?
  /// Whether config.json's `layer_types` says which blocks see a window.
  var readsLayerTypes = false
  /// Whether the last block sees all positions, whatever else is said.
  var endsWithoutWindow = false
  /// Whether blocks with a window turn by frequencies of their own.
  var hasLocalRope = false
  /// Whether a part of each head may turn, and the rest stay.
  var turnsPartially = false
  /// Whether config.json has to say how positions turn.
  var needsRopeSection = false
  /// Whether config.json may say by `rotary_dim` how many values of a head turn.
  var readsRotaryDim = false
  /// config.json's words for LongRoPE.
  var longRopeWords: Set<String> = ["longrope"]

  var embeddingScale: EmbeddingScale = .none
  /// config.json's key for the size whose root divides scores; nil for the head size.
  package var attentionScaleKey: String?
  /// The number of blocks at which llama.cpp takes hidden size over heads for that size; nil where it never does.
  var blocksOfWideScores: Int?
  /// What scores are multiplied by where that is no root of a size; nil where it is.
  var scoreScale: Float?
  /// Whether blocks without a window have heads of their own size, keys and values in their own number, and keys that may be values.
  package var hasGlobalHeads = false
  /// Whether each head's values are normalised, without weights.
  var normalizesValues = false
  /// Whether the last blocks may read the keys and values of blocks before, perhaps with MLPs of twice the size.
  package var sharesCaches = false
  /// Whether blocks may have embeddings of their own.
  package var hasPerLayerEmbeddings = false
  /// Whether each block's hidden states are multiplied by a number.
  var scalesBlocks = false
  /// Whether attention scores may have a bound.
  var boundsScores = false
  /// Whether logits may have a bound.
  var boundsLogits = false
  /// Whether granite's four multipliers are read.
  package var hasMultipliers = false
  var tiesByStandard = false
  /// Whether config.json has to say how queries grow with their position.
  package var growsQueries = false
  /// Whether llama.cpp reads where YaRN's ramp begins and ends, and how its amplitude is weighed.
  package var hasYarnRampInGGUF: Bool { growsQueries }

  /// Families that run, by what they are most like.
  package static let all: [Architecture] = [
    llama, mistral, ministral3, qwen2, qwen2Moe, qwen3, qwen3Moe, gemma, gemma2, gemma3, gemma4,
    phi3, granite, graniteMoe, smollm3, olmo2, olmoe, glm4, starcoder2, mixtral, seedOss, qwen35,
    qwen35Moe, qwen3Next, gptOss, glm4Moe, minimaxM2, deepseekV2, deepseekV3, lfm2, lfm2Moe,
    graniteHybrid,
  ]

  /// Vise's name of it.
  package var name: String { modelTypes[0] }

  package static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }

  static func ofConfig(_ modelType: String) -> Architecture? {
    all.first { $0.modelTypes.contains(modelType) }
  }

  /// - Parameters:
  ///   - name: The architecture's name in GGUF.
  ///   - hasExperts: Whether there are any.
  ///   - hasChoiceBias: Whether they have biases that they are chosen by.
  /// - Returns: nil for a name that no family that runs has.
  static func ofGGUF(_ name: String, hasExperts: Bool, hasChoiceBias: Bool = false) -> Architecture?
  {
    let found = all.filter { $0.ggufName == name }
    let alike = found.filter { $0.hasExperts == hasExperts }
    return alike.first { $0.experts?.hasChoiceBias == hasChoiceBias } ?? alike.first ?? found.first
  }

  /// Whether models of a type that does not run hold matrices with inputs for rows: what transformers calls Conv1D.
  static func isTransposed(_ modelType: String?) -> Bool { modelType == "gpt2" }

  /// Flags of config.json by the parts that have biases where they are set.
  package var biasFlags: [String: Set<Part>] {
    if case .flagged(let flags, _) = biases { flags } else { [:] }
  }

  /// The size whose root llama.cpp divides scores by, which GGUF has no word for.
  package func scoreSizeInGGUF(
    blocks: Int, hiddenSize: Int, headCount: Int, headSize: Int
  ) -> Int {
    blocks == blocksOfWideScores ? hiddenSize / headCount : headSize
  }

  /// config.json's key for the activation.
  package var activationKey: String { activation.key }
  /// config.json's key for the number of experts.
  package var expertCountKey: String {
    experts?.countKey
      ?? (experts?.usesDenseInnerSize == true && experts?.normalizing == nil
        ? "num_local_experts" : "num_experts")
  }
  /// config.json's flag for weights that the chosen experts alone share; nil where there is no choice.
  package var normalizingFlag: String? { experts?.normalizing?.flag }
  /// Whether experts' inner size has the word that dense models have for theirs.
  package var usesDenseInnerSize: Bool { experts?.usesDenseInnerSize ?? false }

  /// Whether a window counts only where config.json switches it on.
  package var switchesWindow: Bool {
    switch window {
    case .switched, .switchedForAll, .switchedForEveryOther, .switchedWithoutRope: true
    case .none, .all, .allButEvery: false
    }
  }
  /// Whether the class in transformers lets the last block see all positions, whatever it was.
  package var keepsLastBlock: Bool { endsWithoutWindow }
  /// Whether llama.cpp has blocks see a window.
  package var hasWindowInGGUF: Bool { if case .none? = ggufWindow { false } else { true } }
  /// How llama.cpp weighs the chosen experts; nil where all models of the family do so.
  package var routerInGGUF: RouterKind? {
    guard let experts, experts.normalizing != nil, !experts.readsRouterInGGUF else { return nil }
    return experts.router
  }
  /// Whether GGUF metadata say how experts are weighed.
  package var readsRouterInGGUF: Bool { experts?.readsRouterInGGUF ?? false }
  /// Whether there is a setting for what experts' weights are multiplied by.
  package var scalesExpertWeights: Bool { experts?.scalesWeights ?? false }
  /// Whether experts may be in groups.
  package var groupsExperts: Bool { experts?.comparedInGroup != nil }
  /// config.json's `topk_method` with which groups of experts count; nil where they always do.
  package var groupingMethod: String? { experts?.groupingMethod }
  /// Whether the first blocks are dense.
  package var leadsDense: Bool { experts?.leadsDense ?? false }
  /// config.json's key for how many they are.
  package var leadingDenseKey: String { experts?.leadingKey ?? "first_k_dense_replace" }
  /// Whether shared experts run beside the others, all of one size.
  package var hasSharedExperts: Bool { experts?.hasShared ?? false }
  /// Parts of experts that have biases in every checkpoint.
  var expertBiases: Set<Part> { experts?.biases ?? [] }
  /// Whether Hugging Face checkpoints hold gates and ups of experts as one tensor.
  package var fusesExperts: Bool { experts?.isFused ?? false }
  /// Whether GGUF does so.
  package var fusesExpertsInGGUF: Bool { experts?.isFusedInGGUF ?? false }
  /// Whether experts stand beside an MLP of their own.
  package var hasDenseBeside: Bool { experts?.standsBesideDense ?? false }
  /// A flag of config.json without which all blocks are dense; nil for none.
  package var expertFlag: String? { experts?.flag }
  /// Whether Hugging Face checkpoints hold layers of a recurrence as one tensor, where GGUF has two.
  package var fusesDelta: Bool { delta?.isFused ?? false }
  /// Whether GGUF files may hold blocks that predict further tokens, which are kept.
  var keepsFurtherBlocks: Bool { delta != nil || hasFurtherBlocks }
  /// Whether blocks may have a Gated DeltaNet in attention's place.
  package var hasDelta: Bool { delta != nil }
  /// Whether blocks may have anything else in attention's place.
  package var hasOtherMixers: Bool { delta != nil || hasConvolutions || hasMamba }
  /// Whether Hugging Face checkpoints hold gate and up of a shared expert as one matrix, where GGUF has two.
  package var fusesShared: Bool { experts?.fusesShared ?? false }

  var experts: ExpertRule? {
    if case .experts(let rule) = feedForward { rule } else { nil }
  }

  var hasExperts: Bool { experts != nil }

  /// What llama.cpp calls a part, without block and suffix.
  package func ggufName(of part: Part) -> String { ggufNames[part] ?? part.ggufName }

  /// What Hugging Face checkpoints call a part, after their prefix and the block's number.
  package func name(of part: Part) -> String {
    names[part] ?? Part.commonNames[part] ?? part.rawValue
  }
}
