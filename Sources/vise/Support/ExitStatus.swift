/// How `vise` ends; `vise --help` lists these.
enum ExitStatus: Int32, CaseIterable {
  case done = 0
  case failed = 1
  // The next three are sysexits.h's EX_USAGE, EX_DATAERR and EX_NOINPUT.
  case usage = 64
  case badPlan = 65
  case unreadableModel = 66
  /// 128 and the number of SIGINT, as shells have it.
  case cancelled = 130

  /// What it tells a script.
  var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "the work failed"
    case .usage: "the command line is wrong"
    case .badPlan: "the plan is wrong, or does not fit the model"
    case .unreadableModel: "the model cannot be opened"
    case .cancelled: "cancelled with Ctrl-C"
    }
  }
}

/// Why a command ends early: one sentence for a person, a status for a script.
struct CommandFailure: Error {
  let status: ExitStatus
  let message: String
}
