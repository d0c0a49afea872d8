import Compression
import Engine
import Terminal

/// Everything that can change the state of the workbench.
enum AppEvent: Hashable, Sendable {
  case input(InputEvent)
  case engine(EngineEvent)
  case file(FileEvent)
}

/// What came of reading or writing files.
enum FileEvent: Hashable, Sendable {
  case planRead(path: String, Plan)
  case planUnreadable(path: String, reason: String)
  case planWritten(path: String, Plan)
  /// Nothing was written because there is a file of that name.
  case planExists(path: String)
  case planUnwritable(path: String, reason: String)
  /// Names in a directory, directories with a slash at their end; empty if it cannot be read.
  case listed(directory: String, names: [String])
}

/// What an update asks the outside world to do.
enum Effect: Hashable, Sendable {
  case engine(EngineCommand)
  case readPlan(path: String)
  /// Writes whole files only: under a temporary name first, then renamed.
  case writePlan(Plan, path: String, overwrites: Bool)
  case list(directory: String)
  /// Puts text into the terminal's clipboard.
  case copy(String)
  case setMouse(Bool)
  case suspend
  /// Draws every cell afresh.
  case redraw
  case quit
  /// End because the system says so.
  case end(signal: Int32)
}
