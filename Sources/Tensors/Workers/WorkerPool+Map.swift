extension WorkerPool {
  /// What `body` makes of 0, 1 and so on up to `count`, each computed on some thread.
  ///
  /// The rules of ``run(count:grain:body:)`` apply.
  public func map<Result: Sendable>(
    count: Int, _ body: @Sendable (Int) -> Result
  ) -> [Result] {
    [Result](unsafeUninitializedCapacity: count) { buffer, initialized in
      let slots = Slots(first: buffer.baseAddress)
      run(count: count) { part in
        for index in part { slots.fill(index, with: body(index)) }
      }
      initialized = count
    }
  }
}

private struct Slots<Value>: @unchecked Sendable {
  // Unchecked: each slot is filled once, by one thread.
  let first: UnsafeMutablePointer<Value>?

  func fill(_ index: Int, with value: Value) {
    if let first { (first + index).initialize(to: value) }
  }
}
