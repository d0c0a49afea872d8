import Engine
import Serving

extension AppState {
  /// The server that answers prompts too; nil if none does.
  var serverURL: String? { conversation.settings.server?.base }

  /// Lets the server that `text` names answer prompts too, or none: `URL [MODEL]`, or `off`.
  mutating func serve(_ text: String) -> [Effect] {
    let words = text.split(separator: " ", maxSplits: 1)
    if text == "off" {
      let effects = leaveServer()
      conversation.use(nil)
      inform("No server answers any more")
      return effects
    }
    do throws(ServerFailure) {
      let model = words.count > 1 ? String(words[1].trimmingBlanks()) : nil
      let server = try ServerAddress(String(words.first ?? ""), model: model)
      let effects = leaveServer()
      conversation.use(server)
      inform("Looking for \(server.base)")
      return effects + findServer()
    } catch {
      refuse(error.description)
      return []
    }
  }

  /// Finds out whether the server is there, once there is a model to compare it with.
  mutating func findServer() -> [Effect] {
    guard model != nil, let server = conversation.settings.server else { return [] }
    return [.engine(.findServer(jobs.queue(.connect, for: server.base), server))]
  }

  /// Takes on that a server was found, for itself or on the way to its answer.
  mutating func take(found server: ServerAddress, by job: JobID) {
    guard server.base == conversation.settings.server?.base else { return }
    conversation.note(found: server)
    guard jobs[job]?.kind == .connect else { return }
    let said = "\(server.base) serves \(server.model ?? "a model"); it answers prompts too"
    jobs.note(said, for: job)
    confirm(said)
  }

  /// Takes on why a side gives no answer, or no more of it.
  mutating func take(failure reason: String, of side: AnswerSide) {
    conversation.change { $0.fail(side, reason) }
    // A model that does not run beside a server that answers is no failure.
    if side == .served { refuse(reason) } else { warn(reason) }
  }

  /// Ends what still waits for the server.
  private func leaveServer() -> [Effect] {
    var effects: [Effect] = []
    if let job = jobs.running(.connect) { effects.append(.engine(.cancel(job.id))) }
    let served = conversation.answer(.served)
    if conversation.isRunning, conversation.settings.server != nil, served.stop == nil,
      served.failure == nil, let job = conversation.job
    {
      effects.append(.engine(.cancel(job)))
    }
    return effects
  }
}
