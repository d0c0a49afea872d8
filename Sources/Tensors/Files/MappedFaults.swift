import CKernels

/// What became of mapped files that could not be read any more.
public enum MappedFaults {
  /// How many there were in this process.
  public static var count: UInt64 { vk_mapping_faults() }

  /// The last of them; nil if there was none.
  public static var last: StorageError? {
    vk_mapping_last_damaged().map { error(path: String(cString: $0)) }
  }

  /// Has faults of mapped files handled even if something else has begun to handle their signal since they were mapped.
  public static func guardAgain() { vk_mapping_guard() }

  static func error(path: String) -> StorageError {
    StorageError(
      path: path,
      reason: "was cut off, or its disk failed, while it was read; open it again")
  }
}
