import Engine

/// Prompts of a file, each asked by itself, and where the answers part.
struct PromptBatch: Hashable, Sendable {
  /// The file.
  private(set) var path = ""
  private(set) var exchanges: [Exchange] = []
  /// The place of the prompt that is being answered; nil while none is.
  private(set) var place: Int?
  private(set) var job: JobID?
  private var ended: Set<Int> = []
  var cursor = 0

  var isRunning: Bool { place != nil }

  init() {}

  init(_ prompts: [String], from path: String) {
    self.path = path
    exchanges = prompts.map { Exchange($0) }
  }

  /// How many prompts are answered.
  var answered: Int { ended.count }

  /// Of the answered prompts, those whose answers part.
  var parted: Int { ended.count { exchanges[$0].comparison.parting != nil } }

  /// The mean of the shares of same tokens over answered prompts; nil before there is one.
  var sameRate: Double? { mean { $0.sameRate } }

  /// The mean of the mean KLDs over answered prompts; nil before there is one.
  var divergence: Double? { mean { $0.meanDivergence } }

  func isAnswered(_ place: Int) -> Bool { ended.contains(place) }

  /// Begins the next prompt; nil once there is none.
  mutating func next(job: JobID, settings: GenerationRequest) -> GenerationRequest? {
    let next = (place ?? -1) + 1
    guard exchanges.indices.contains(next) else { return nil }
    (place, self.job) = (next, job)
    var request = settings
    request.prompt = exchanges[next].prompt
    return request
  }

  /// Takes on that the prompt is answered.
  ///
  /// - Returns: whether there is another.
  mutating func end() -> Bool {
    guard let place else { return false }
    ended.insert(place)
    guard place + 1 < exchanges.count else {
      stop()
      return false
    }
    return true
  }

  /// Asks no more.
  mutating func stop() { (place, job) = (nil, nil) }

  /// Changes the prompt's exchange.
  mutating func change(_ edit: (inout Exchange) -> Void) {
    if let place { edit(&exchanges[place]) }
  }

  mutating func moveCursor(by distance: Int) {
    cursor = max(0, min(cursor + distance, exchanges.count - 1))
  }

  private func mean(_ figure: (AnswerComparison) -> Double?) -> Double? {
    let values = ended.compactMap { figure(exchanges[$0].comparison) }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
