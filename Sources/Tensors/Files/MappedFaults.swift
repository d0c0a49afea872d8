import CKernels

/// Faults of mapped files, which are handled as a signal.
public enum MappedFaults {
  /// Has them handled even if something else has begun to handle their signal since the files were mapped.
  public static func guardAgain() { vk_mapping_guard() }
}
