import Engine

/// What the workbench knows of the engine outside it.
struct EngineState: Hashable, Sendable {
  /// The machine that it is on, where that is another one.
  var address: SSHAddress?
  /// Where it is and what paths mean there; nil for an engine in this process, or before there is one.
  var place: EnginePlace?
  /// What it has done so far, until the session is known that it belongs to.
  var record: EngineRecord?
  /// What it has said after that record.
  var held: [EngineEvent] = []
  /// Whether a model is being opened again that is on the screen already.
  var isReopening = false
  /// How often it was lost since somebody has asked for something.
  var losses = 0
  /// Whether it is gone, and another is started once somebody asks for something.
  var isDown = false
}
