import Allocation
import Checkpoints
import Compression
import Export
import Inference
import Serving

/// What a job does, for people; those on clusters are no engine's.
public enum JobKind: String, Codable, Hashable, Sendable {
  case preview, compress, generate, evaluate, logits, calibrate, sensitivity, refine, prune,
    compare,
    export, connect, tokens, part, layout, pack, cluster
}

/// How far a job has come.
public struct JobProgress: Codable, Hashable, Sendable {
  /// Units done, of `total`; layers, tokens or windows.
  public var completed: Int
  public var total: Int
  /// Estimated seconds left; nil while that is not known.
  public var secondsLeft: Double?

  public init(completed: Int, total: Int, secondsLeft: Double? = nil) {
    self.completed = completed
    self.total = total
    self.secondsLeft = secondsLeft
  }
}

/// How a job ended.
public enum JobOutcome: Codable, Hashable, Sendable {
  case finished
  case cancelled
  /// One sentence that says what failed and what to do.
  case failed(String)
}

/// One token of an answer, or what a server sends at a time.
public struct GeneratedToken: Codable, Hashable, Sendable {
  public var side: AnswerSide
  /// Place in the answer, from 0.
  public var index: Int
  /// Nil for a server, which only sends text.
  public var id: Int?
  /// The text that this token completes; empty while a character is still incomplete.
  public var text: String
  /// Tokens a second that this side makes when it has the machine to itself, or a server as things are; 0 for the first
  /// token, whose time is the prompt's.
  public var tokensPerSecond: Double
  /// KLD of the compressed model's distribution of this token from the reference's, in nats; nil
  /// unless both sides have just chosen it, after the same tokens.
  public var divergence: Double?
  /// Tokens of the prompt, and the seconds from its first to the answer's first; 0 for a server.
  public var promptTokens: Int
  public var promptSeconds: Double
  /// Tokens of the prompt that were read for an earlier one, and are not among those of the seconds.
  public var reusedTokens: Int
  /// Bytes of the keys and values that this answer holds; 0 for a server.
  public var cacheBytes: Int
  /// The share of inputs of o_proj and down_proj that counted as zero; nil where none was asked to.
  public var inputSparsity: Double?

  public init(
    side: AnswerSide, index: Int, id: Int?, text: String, tokensPerSecond: Double,
    divergence: Double? = nil, promptTokens: Int = 0, promptSeconds: Double = 0,
    reusedTokens: Int = 0, cacheBytes: Int = 0, inputSparsity: Double? = nil
  ) {
    self.side = side
    self.index = index
    self.id = id
    self.text = text
    self.tokensPerSecond = tokensPerSecond
    self.divergence = divergence
    self.promptTokens = promptTokens
    self.promptSeconds = promptSeconds
    self.reusedTokens = reusedTokens
    self.cacheBytes = cacheBytes
    self.inputSparsity = inputSparsity
  }
}

/// Why an answer ended.
public enum StopReason: String, Codable, Hashable, Sendable {
  case endOfText, tokenLimit, contextLimit
}

/// What the engine says.
public enum EngineEvent: Codable, Hashable, Sendable {
  /// A checkpoint is open: everything about it but its weights.
  case opened(ModelDescription)
  /// It could not be opened; one sentence that says why and what to do.
  case openFailed(path: String, reason: String)
  /// The plan prunes the open model to this one, or back to the whole: reports and rules are of its layers now.
  case restructured(ModelDescription)
  /// The plan cannot be carried out; nothing changed.
  case planRefused(reason: String)
  /// A layer's report under a scheme, sampled first, then exact.
  case report(LayerReport)
  /// This many layers of the running compressed model are as the plan says.
  case compressed(layers: Int, of: Int)
  case jobStarted(JobID, JobKind, title: String)
  case jobProgress(JobID, JobProgress)
  case jobEnded(JobID, JobOutcome)
  /// The model has no chat template: the models here answer the prompt as it is, though nobody asked for that.
  case promptSentRaw(JobID)
  /// What a job takes for granted of a text or a tokenizer; one sentence.
  case remarked(JobID, String)
  /// So many of the prompt's tokens are read, and there are more to read.
  case promptRead(JobID, AnswerSide, tokens: Int, of: Int)
  case token(JobID, GeneratedToken)
  case answerEnded(JobID, AnswerSide, StopReason)
  /// This side gives no answer, or no more of it; one sentence that says why. The others go on.
  case answerFailed(JobID, AnswerSide, reason: String)
  /// What both models expected at the next tokens of the answer that they read.
  case tokensRead(JobID, [TokenReading])
  /// What the next block does to the answer.
  case blockParted(JobID, BlockParting)
  /// What an evaluation found in the windows that it has read so far.
  case evaluating(JobID, EvaluationSummary)
  /// A server is there, and this is its model.
  case serverFound(JobID, ServerAddress)
  case evaluated(JobID, EvaluationSummary)
  /// A file of logits is complete and in its place.
  case logitsWritten(JobID, LogitsSummary)
  /// What layers read is known.
  case calibrated(JobID, CalibrationSummary)
  /// Sensitivity is at hand: measured just now, or read from a file (then without a job).
  case sensitivity(JobID?, SensitivitySummary)
  /// The same, as a first answer from less text; the job goes on to a better one.
  case sensitivityDrafted(JobID, SensitivitySummary)
  /// Predictions learned from what a job measured: other KLDs for the same schemes.
  case sensitivityRefined(JobID, SensitivitySummary)
  /// The sensitivity at hand was saved.
  case sensitivitySaved(path: String)
  /// Sensitivity could not be read or saved; one sentence that says why and what to do.
  case sensitivityRefused(path: String, reason: String)
  /// What structured pruning was asked for, chosen.
  case structureChosen(JobID, ChosenStructure)
  case allocated(AllocationResult)
  /// There is no plan for this target; one sentence that says why and what to do.
  case allocationRefused(BudgetTarget, reason: String)
  case frontier(Frontier)
  /// What the current plan should cost; nil while sensitivity is unknown.
  case predicted(PredictedDivergence?)
  /// What decides the bytes of an export for a target, of the model as the plan prunes it.
  case exportOutline(ExportOutline)
  /// The model cannot be exported for this target, whatever the plan; one sentence that says why and what to do.
  case exportOutlineRefused(ExportTarget, reason: String)
  case layersCompared(JobID, [LayerDifference])
  /// How a quantized file of the open model stores its layers.
  case layoutRead(JobID, StoredLayout)
  case exportPreview(ExportPreview)
  /// What a cluster needs is packed; nothing was sent.
  case jobPacked(JobID, PackedJob)
  /// What was written, all of it in its place.
  case exported(JobID, ExportPreview)
}
