import Dispatch

/// Plain code on a thread of its own, which runs only while its owner waits for it.
///
/// Owner and code hand the turn to each other, so that both may use the same objects as if there were one thread. The code
/// pauses where it likes, deep in its loops, and goes on there. When the strand is cancelled or let go, it is told so where
/// it paused, and unwinds; the thread has ended when that returns.
public final class Strand {
  public enum State {
    /// The code waits for its next turn.
    case paused
    case ended(Result<Void, WorkFailure>)
  }

  /// What the code calls to let its owner go on; throws when it is to end.
  public typealias Pause = () throws(WorkFailure) -> Void

  private let turns: Turns
  private var thread: BackgroundThread?

  /// Code that has not begun; without a first turn there is no thread.
  public init(_ body: @escaping (@escaping Pause) throws(WorkFailure) -> Void) {
    turns = Turns(body)
  }

  deinit { cancel() }

  /// Lets the code run until it pauses or ends.
  ///
  /// - Precondition: it has not ended.
  public func resume() -> State {
    precondition(turns.outcome == nil, "what has ended does not go on")
    if thread == nil {
      thread = BackgroundThread { [turns] in turns.run() }
    } else {
      turns.ofWork.signal()
    }
    turns.ofOwner.wait()
    guard let outcome = turns.outcome else { return .paused }
    thread?.join()
    return .ended(outcome)
  }

  /// Ends the code where it paused; it does nothing more if it has not begun or has ended.
  public func cancel() {
    turns.isCancelled = true
    guard thread != nil else { return }
    while turns.outcome == nil { _ = resume() }
  }
}

/// What owner and code share.
///
/// Unchecked, because only the side whose turn it is touches it: the semaphores order all accesses.
private final class Turns: @unchecked Sendable {
  let ofWork = DispatchSemaphore(value: 0)
  let ofOwner = DispatchSemaphore(value: 0)
  var isCancelled = false
  var outcome: Result<Void, WorkFailure>?
  /// Nil once it has begun.
  private var body: ((@escaping Strand.Pause) throws(WorkFailure) -> Void)?

  init(_ body: @escaping (@escaping Strand.Pause) throws(WorkFailure) -> Void) {
    self.body = body
  }

  func run() {
    do throws(WorkFailure) {
      try body.take()? { [unowned self] () throws(WorkFailure) in try pause() }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    ofOwner.signal()
  }

  private func pause() throws(WorkFailure) {
    if isCancelled { throw .cancelled }
    ofOwner.signal()
    ofWork.wait()
    if isCancelled { throw .cancelled }
  }
}
