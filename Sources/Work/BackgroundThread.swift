import Glibc

/// A thread that runs one closure and lets signals pass to the threads that want them.
///
/// Only the signals of its own faults stay open to it, so that handlers for crashes still run.
public final class BackgroundThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private let thread: pthread_t
  private var isJoined = false

  /// Starts a thread that runs `body` and ends with it, whether somebody waits for that or not.
  ///
  /// - Precondition: the system has a thread to give.
  @discardableResult
  public init(_ body: @escaping @Sendable () -> Void) {
    // The new thread inherits the mask, so that there is no moment in which signals reach it.
    var blocked = sigset_t()
    var before = sigset_t()
    sigfillset(&blocked)
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&blocked, fault) }
    pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(body)).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument)
    precondition(code == 0, "the system gives no more threads")
    self.thread = thread
  }

  deinit { if !isJoined { pthread_detach(thread) } }

  /// Lets the threads of this process that have not called it go before the calling one, and before those that it starts.
  public static func giveWay() {
    // On Linux niceness is each thread's own; 0 is the caller.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
  }

  private static let niceness: Int32 = 5

  /// Waits until the thread has ended.
  public func join() {
    guard !isJoined else { return }
    isJoined = true
    pthread_join(thread, nil)
  }
}
