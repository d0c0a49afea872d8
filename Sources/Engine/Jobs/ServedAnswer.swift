import Serving
import Tokenization
import Work

/// A server's answer to a prompt: what has come of it is taken whenever the engine has time.
struct ServedAnswer {
  private let address: ServerAddress
  private let news = Mailbox<ServerNews>()
  /// The connection; it closes with this value.
  private var exchange: ServerExchange?
  private(set) var isEnded = false
  private var pieces = 0
  /// When the first pieces were taken, and the tokens in them.
  private var first: (time: Duration, tokens: Int)?

  init(_ address: ServerAddress) { self.address = address }

  /// Whether there is something to do now.
  var canGoOn: Bool { !isEnded && (exchange == nil || !news.isEmpty) }

  /// Tokens of `limit` that need no more work, those that will not come included.
  func completed(of limit: Int) -> Int { isEnded ? limit : min(pieces, limit) }

  /// Asks the server, or takes what it has sent.
  mutating func step(
    _ request: GenerationRequest, limit: Int, job: JobID, in workspace: Workspace
  ) throws(JobFailure) {
    guard exchange != nil else {
      // Nobody compares with what a model that does not run would have read.
      var hasTemplate = workspace.runningObstacle != nil
      if !hasTemplate { hasTemplate = try workspace.models.tokenizer().chatTemplate != nil }
      let question = ServerQuestion(request, isChat: hasTemplate && !request.isRaw, limit: limit)
      exchange = workspace.servers.ask(question, of: address, news: news)
      return
    }
    // What has come since the last step counts as one moment: the engine may have been busy with other things.
    let now = workspace.now()
    for item in news.take() where !isEnded {
      switch item {
      case .found(let address): workspace.emit(.serverFound(job, address))
      case .piece(let piece): workspace.emit(.token(job, token(piece, at: now)))
      case .ended(let end):
        close()
        workspace.emit(.answerEnded(job, .served, StopReason(end)))
      case .failed(let failure):
        close()
        workspace.emit(.answerFailed(job, .served, reason: failure.description))
      }
    }
  }

  private mutating func close() {
    isEnded = true
    exchange = nil
  }

  private mutating func token(_ piece: ServedPiece, at now: Duration) -> GeneratedToken {
    pieces += 1
    let tokens = piece.tokens ?? pieces
    let first = first.flatMap { $0.time == now ? nil : $0 } ?? (time: now, tokens: tokens)
    self.first = first
    let seconds = (now - first.time) / .seconds(1)
    return GeneratedToken(
      side: .served, index: pieces - 1, id: nil, text: piece.text,
      tokensPerSecond: seconds > 0 ? Double(max(0, tokens - first.tokens)) / seconds : 0)
  }
}

extension ServerQuestion {
  /// What a server is asked so that it reads and samples as the models here do.
  fileprivate init(_ request: GenerationRequest, isChat: Bool, limit: Int) {
    let messages = request.messages(for: .served)
    self.init(
      prompt: isChat ? request.prompt : messages.map(\.content).joined(), isChat: isChat,
      tokenLimit: limit, temperature: request.sampling.temperature, topK: request.sampling.topK,
      topP: request.sampling.topP, seed: request.sampling.seed)
    guard isChat else { return }
    earlier = messages.dropLast().map { message in
      let role: Message.Role =
        switch message.role {
        case .system: .system
        case .user: .user
        case .assistant: .assistant
        }
      return Message(role: role, content: message.content)
    }
  }
}

extension StopReason {
  fileprivate init(_ end: ServedEnd) {
    switch end {
    case .complete: self = .endOfText
    case .length: self = .tokenLimit
    }
  }
}
