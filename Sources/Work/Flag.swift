import Synchronization

/// Something that is true from some moment on, whichever thread asks.
public final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  public init() {}

  public var isSet: Bool { value.load(ordering: .acquiring) }
  public func set() { value.store(true, ordering: .releasing) }
}
