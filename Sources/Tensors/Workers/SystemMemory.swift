import CKernels

/// The memory of this machine.
public enum SystemMemory {
  /// Bytes that programs can take without others' being moved out, as the kernel estimates them; nil where it does not say.
  public static var available: Int? {
    let bytes = vk_available_memory()
    return bytes < 0 ? nil : Int(bytes)
  }
}
