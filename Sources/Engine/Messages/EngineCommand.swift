import Compression
import Serving
import Export
import Tensors

/// Which model answers.
public enum ModelSide: String, Codable, Hashable, Sendable, CaseIterable {
  /// The model as it was opened.
  case reference
  /// The model under the current plan.
  case compressed
}

/// Who answers: one of the models here, or a server.
public enum AnswerSide: String, Codable, Hashable, Sendable, CaseIterable {
  case reference, compressed, served

  public init(_ side: ModelSide) {
    self =
      switch side {
      case .reference: .reference
      case .compressed: .compressed
      }
  }
}

/// How the next token is chosen.
public struct SamplingSettings: Codable, Hashable, Sendable {
  /// 0 is greedy.
  public var temperature: Double
  /// Only the most probable `topK` tokens; 0 means all.
  public var topK: Int
  /// Only the smallest set of tokens with this probability together; 1 means all.
  public var topP: Double
  public var seed: UInt64

  public init(temperature: Double = 0, topK: Int = 0, topP: Double = 1, seed: UInt64 = 0) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }
}

/// A prompt and how to answer it.
public struct GenerationRequest: Codable, Hashable, Sendable {
  public var prompt: String
  /// What a chat template says before all turns; nil leaves that to the template.
  public var system: String?
  /// The conversation so far, the oldest turn first.
  public var turns: [ChatTurn]
  /// Tokens that answers begin with: they were given before, and are gone on from.
  public var beginnings: [AnswerSide: [Int]]
  /// True sends the prompt as it is, without the model's chat template; turns then follow each other as they are.
  public var isRaw: Bool
  public var sides: [ModelSide]
  /// A server that answers too; nil if none does.
  public var server: ServerAddress?
  /// Most tokens of the answer.
  public var tokenLimit: Int
  public var sampling: SamplingSettings
  /// How exactly layers that hold integer codes multiply.
  public var arithmetic: Arithmetic
  /// What keys and values are held as.
  public var cacheType: CacheType
  /// The share of inputs of o_proj and down_proj that count as zero, of the compressed model where that answers.
  public var inputSparsity: Double?

  public init(
    prompt: String, isRaw: Bool = false, sides: [ModelSide] = ModelSide.allCases,
    server: ServerAddress? = nil, tokenLimit: Int = 128,
    sampling: SamplingSettings = SamplingSettings(), arithmetic: Arithmetic = .exact,
    cacheType: CacheType = .f16, inputSparsity: Double? = nil, system: String? = nil,
    turns: [ChatTurn] = []
  ) {
    self.prompt = prompt
    (self.system, self.turns, beginnings) = (system, turns, [:])
    self.isRaw = isRaw
    self.sides = sides
    self.server = server
    self.tokenLimit = tokenLimit
    self.sampling = sampling
    self.arithmetic = arithmetic
    self.cacheType = cacheType
    self.inputSparsity = inputSparsity
  }
}

/// A text to measure both models on.
public struct EvaluationRequest: Codable, Hashable, Sendable {
  /// Path of a UTF-8 text, or of JSON lines with a `text` or `messages` field each.
  public var textPath: String
  /// Tokens a window: each is read afresh, and its second half is scored; nil for ``StandardWindow``.
  public var window: Int?
  /// Most windows to read; nil reads the whole text.
  public var windowLimit: Int?
  /// Whether the compressed model is measured too, against the reference.
  public var compares: Bool
  /// A checkpoint of the same model to compare with instead of the one that is open; both read the same tokens.
  public var referencePath: String?
  /// A plan to measure in place of the current one, which stays as it is.
  public var plan: Plan?
  /// The share of inputs of o_proj and down_proj that count as zero in the model that is compared; nil is none.
  public var inputSparsity: Double?

  public init(
    textPath: String, window: Int? = nil, windowLimit: Int? = nil, compares: Bool = true,
    referencePath: String? = nil, plan: Plan? = nil, inputSparsity: Double? = nil
  ) {
    self.textPath = textPath
    self.window = window
    self.windowLimit = windowLimit
    self.compares = compares
    self.referencePath = referencePath
    self.plan = plan
    self.inputSparsity = inputSparsity
  }
}

/// What the engine is told.
///
/// Commands return at once; what comes of them arrives as events.
public enum EngineCommand: Codable, Hashable, Sendable {
  /// Opens a checkpoint in place of the one that is open.
  case open(path: String)
  /// Makes `plan` the current one: changed layers are reported on, then compressed, then swapped in.
  case setPlan(Plan)
  /// Says what the user looks at, most important first: these layers' reports come first.
  case look(at: [String])
  /// Reports on one layer under a scheme that need not be the plan's.
  case preview(JobID, layer: String, scheme: Scheme)
  /// Answers a prompt with the reference, the compressed model, a server, or several side by side.
  case generate(JobID, GenerationRequest)
  /// Lets both models read an answer, and says what each expected at every token of it.
  case readTokens(JobID, ReadingRequest)
  /// Finds the blocks that make both models part on an answer: the compressed model's go first, the original's after them.
  case partByBlock(JobID, ReadingRequest)
  /// Finds out whether a server is there, and which model it has.
  case findServer(JobID, ServerAddress)
  /// Measures PPL and, if it compares, KLD on a text.
  case evaluate(JobID, EvaluationRequest)
  /// Writes the logits of one model on a text into a file.
  case writeLogits(JobID, LogitsRequest)
  /// Collects what layers read on a text; calibrated methods compress with it from then on.
  case calibrate(JobID, CalibrationRequest)
  /// Measures what each scheme of each layer costs.
  case measureSensitivity(JobID, SensitivityRequest)
  /// Measures layers of a plan one by one, for predictions to learn from.
  case refineSensitivity(JobID, RefinementRequest)
  /// Chooses what structured pruning takes from the model as it was opened; the plan stays as it is.
  case chooseStructure(JobID, StructureRequest)
  /// Reads sensitivity that was saved before.
  case openSensitivity(path: String)
  /// Saves the sensitivity at hand.
  case saveSensitivity(path: String)
  /// Solves for a target with the sensitivity at hand; answered at once.
  case allocate(BudgetTarget, AllocationSettings)
  /// Draws the whole frontier with the sensitivity at hand; answered at once.
  case drawFrontier(AllocationSettings)
  /// Says what decides the bytes of an export for a target beside the plan; answered at once.
  case outlineExport(ExportTarget)
  /// Compares the weights of the open model's layers with another checkpoint's, as both are stored.
  case compareLayers(JobID, LayerComparisonRequest)
  /// Reads the layout of a quantized file of the open model; its KLD is predicted where sensitivity is known.
  case readLayout(JobID, LayoutRequest)
  /// Says what an export of the current plan would write, and what its target cannot hold; answered at once.
  case previewExport(ExportRequest)
  /// Packs what a cluster needs to carry the current plan out, or to measure sensitivity.
  case packJob(JobID, JobPackRequest)
  /// Exports the current plan.
  case export(JobID, ExportRequest)
  /// Ends a job; takes effect within 50 ms.
  case cancel(JobID)
  /// Ends all jobs and the engine.
  case shutDown
}
