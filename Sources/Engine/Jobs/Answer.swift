import Inference
import Tokenization
import Work

/// One side's answer to a prompt.
struct Answer {
  let side: ModelSide
  private(set) var isEnded = false
  private(set) var generation: Generation?
  private var text: TextStream?
  /// Tokens that the answer begins with and that were given before.
  private var given = 0
  /// What counts as zero, with what did so far.
  private var pruning: InputPruning?
  /// Time spent on the prompt and the first token, and on those after it.
  private var (promptTime, time) = (Duration.zero, Duration.zero)

  init(side: ModelSide) { self.side = side }

  /// The compressed model answers once it is what the plan says; later changes take effect at once.
  func canGoOn(in workspace: Workspace) -> Bool {
    !isEnded && (side == .reference || generation != nil || workspace.plan.isDone)
  }

  /// Tokens of `limit` that need no more work, those that will not come included.
  func completed(of limit: Int) -> Int { isEnded ? limit : generation?.tokens.count ?? 0 }

  /// Finds out which small inputs of the model as it is now count as zero, if any are asked to.
  mutating func prune(_ request: GenerationRequest, _ turn: Turn) throws(JobFailure) {
    guard request.prunedSide == side, let share = request.inputSparsity, share > 0 else { return }
    let decoder = try turn.workspace.models.decoder(side)
    if let pruning, pruning.isMade(for: decoder) { return }
    pruning = try turn.workspace.inputPruning(of: decoder, share: share, turn)
  }

  /// Loads what the answer needs, reads a part of the prompt, or adds a token.
  ///
  /// - Returns: the token, if it added one.
  mutating func step(
    _ request: GenerationRequest, limit: Int, job: JobID, in workspace: Workspace
  ) throws(JobFailure) -> GeneratedToken? {
    var decoder = try workspace.models.decoder(side)
    decoder.arithmetic = request.arithmetic
    decoder.inputPruning = pruning
    let tokenizer = try workspace.models.tokenizer()
    let prompt = generation == nil ? try request.tokens(for: AnswerSide(side), tokenizer) : []
    do throws(InferenceError) {
      guard generation != nil else {
        let beginning = request.beginnings[AnswerSide(side)] ?? []
        generation = try Generation(
          decoder: decoder, prompt: prompt + beginning,
          sampler: Sampler(request.sampling), tokenLimit: limit, endTokens: tokenizer.endTokens,
          cacheType: request.cacheType,
          noisePosition: request.noisePosition(after: prompt) + beginning.count,
          continuing: workspace.models.takeReadTokens(side))
        given = beginning.count
        var stream = TextStream(tokenizer)
        for id in beginning { _ = stream.append(id) }
        text = stream
        return nil
      }
      let started = workspace.now()
      let done = try generation?.step(using: decoder)
      let duration = workspace.now() - started
      if completed(of: .max) < 2 { promptTime += duration } else { time += duration }
      switch done {
      case .token(let id): return add(id, isLast: completed(of: limit) == limit)
      case .ended(let reason):
        isEnded = true
        workspace.emit(.answerEnded(job, AnswerSide(side), StopReason(reason)))
      case .prompt(let read):
        workspace.emit(
          .promptRead(
            job, AnswerSide(side), tokens: read, of: generation?.promptCount ?? read))
      case nil: break
      }
      return nil
    } catch {
      throw JobFailure(error)
    }
  }

  /// Leaves what was read to the next prompt.
  func keepReadTokens(in workspace: Workspace) {
    guard let generation else { return }
    workspace.models.keepReadTokens(generation.readTokens, side)
  }

  private mutating func add(_ id: Int, isLast: Bool) -> GeneratedToken {
    let made = completed(of: .max) - 1
    var part = text?.append(id) ?? ""
    if isLast { part += text?.finish() ?? "" }
    return GeneratedToken(
      side: AnswerSide(side), index: given + made, id: id, text: part,
      tokensPerSecond: made > 0 && time > .zero ? Double(made) / (time / .seconds(1)) : 0,
      promptTokens: generation?.promptCount ?? 0, promptSeconds: promptTime / .seconds(1),
      reusedTokens: generation?.reusedCount ?? 0, cacheBytes: generation?.cacheBytes ?? 0,
      inputSparsity: pruning?.sparsity)
  }
}

extension GenerationRequest {
  /// The side whose small inputs count as zero: the one that is compared with the other.
  fileprivate var prunedSide: ModelSide { sides.contains(.compressed) ? .compressed : .reference }
}

extension Sampler {
  fileprivate init(_ settings: SamplingSettings) {
    self.init(
      temperature: settings.temperature, topK: settings.topK, topP: settings.topP,
      seed: settings.seed)
  }
}

extension StopReason {
  fileprivate init(_ reason: Generation.StopReason) {
    switch reason {
    case .endToken: self = .endOfText
    case .tokenLimit: self = .tokenLimit
    case .contextLimit: self = .contextLimit
    }
  }
}
