import Tensors

extension ExportLayout {
  /// A number that another layout, or another `purpose`, has only by chance: ``ContentHash``.
  ///
  /// - Parameter purpose: all that the tensors' elements come from but what layers hold.
  /// - Returns: 16 hexadecimal digits.
  public func digest(of purpose: String) -> String {
    var hash = ContentHash()
    hash.add(purpose)
    for file in files {
      hash.add(file.name)
      hash.add(file.byteCount)
      hash.add(file.header.count)
      hash.add(file.header)
      for tensor in file.tensors {
        hash.add(tensor.name)
        hash.add(tensor.type)
        for size in tensor.shape + [tensor.offset, tensor.byteCount] { hash.add(size) }
      }
    }
    for copy in copies {
      hash.add(copy.name)
      hash.add(copy.byteCount)
    }
    return hash.digits
  }
}
