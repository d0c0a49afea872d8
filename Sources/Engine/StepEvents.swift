/// Events of a step, told once it is known that they are true.
final class StepEvents {
  private let tell: (EngineEvent) -> Void
  private var held: [EngineEvent] = []
  private var isHolding = false

  init(_ tell: @escaping (EngineEvent) -> Void) { self.tell = tell }

  /// Takes an event, which is told at once outside of steps.
  func take(_ event: EngineEvent) {
    if isHolding { held.append(event) } else { tell(event) }
  }

  /// Keeps events from now on.
  func hold() { isHolding = true }

  /// Tells what was kept.
  func release() {
    isHolding = false
    for event in held { tell(event) }
    held = []
  }

  /// Forgets what was kept.
  func drop() {
    held = []
    isHolding = false
  }
}
