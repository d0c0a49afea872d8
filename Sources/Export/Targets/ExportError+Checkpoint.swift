import Checkpoints

extension ExportError {
  /// What could not be read of the checkpoint.
  init(_ error: CheckpointError) {
    let reason = error.hint.map { "\(error.reason); \($0)" } ?? error.reason
    self = .file(path: error.file, tensor: error.tensor, reason: reason)
  }

  /// A layer or norm that the layout does not have.
  static func noPlace(for name: String) -> ExportError {
    .unsupported(reason: "\(name): is no part of the model that is exported", hint: nil)
  }
}
