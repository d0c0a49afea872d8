extension [Float]? {
  /// Calls `body` with the values' address; nil when there are none.
  func withPointer<Result>(_ body: (UnsafePointer<Float>?) -> Result) -> Result {
    switch self {
    case nil: body(nil)
    case let values?: values.withUnsafeBufferPointer { body($0.baseAddress) }
    }
  }
}
