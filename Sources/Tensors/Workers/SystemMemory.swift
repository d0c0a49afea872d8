import CKernels

/// The memory of this machine, or of the control group that a container gives the program.
public enum SystemMemory {
  /// Bytes in all; nil where the kernel does not say.
  public static var total: Int? { number(vk_total_memory()) }

  /// Bytes that programs can take without others' being moved out, as the kernel estimates them; nil where it does not say.
  public static var available: Int? { number(vk_available_memory()) }

  private static func number(_ bytes: Int64) -> Int? { bytes < 0 ? nil : Int(bytes) }
}
