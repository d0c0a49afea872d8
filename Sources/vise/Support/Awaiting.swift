import Dispatch
import Serving
import Synchronization

/// Waits for something that answers some time.
///
/// - Throws: ``CommandFailure`` with what the server or cluster says.
func awaited<Value: Sendable>(
  _ body: @escaping @Sendable () async throws(ServerFailure) -> Value
) throws(CommandFailure) -> Value {
  let (answer, done) = (Answer<Value>(), DispatchSemaphore(value: 0))
  Task.detached {
    do throws(ServerFailure) {
      let value = try await body()
      answer.result.withLock { $0 = .success(value) }
    } catch {
      answer.result.withLock { $0 = .failure(error) }
    }
    done.signal()
  }
  done.wait()
  switch answer.result.withLock({ $0 }) {
  case .success(let value): return value
  case .failure(let failure): throw CommandFailure(status: .failed, message: failure.description)
  case nil: preconditionFailure("an answer precedes its signal")
  }
}

private final class Answer<Value: Sendable>: Sendable {
  let result = Mutex<Result<Value, ServerFailure>?>(nil)
}
