extension FixedWidthInteger {
  /// As GGUF and safetensors files hold the number.
  public var littleEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}

extension Array where Element: FixedWidthInteger {
  /// As GGUF and safetensors files hold the numbers, one after the other.
  public var littleEndianBytes: [UInt8] {
    // Plain memory on a little-endian machine, and exact on any other.
    if Element(1).littleEndian == 1 { return withUnsafeBytes { Array<UInt8>($0) } }
    return flatMap(\.littleEndianBytes)
  }
}

extension [Float] {
  /// As GGUF and safetensors files hold single precision.
  public var littleEndianBytes: [UInt8] { map(\.bitPattern).littleEndianBytes }
}
