extension ExportLayout {
  /// What is wrong with the layout itself; nil if it can be written as it is.
  ///
  /// Names stay inside the export's directory and are there once; headers and tensors of a file do not overlap and lie
  /// within it.
  var flaw: String? {
    let names = files.map(\.name) + copies.map(\.name)
    if let name = names.first(where: { !Self.isInside($0) }) {
      return "the file name \(name) leads out of the export"
    }
    if Set(names).count < names.count { return "two files have the same name" }
    let tensors = files.flatMap(\.tensors).map(\.name)
    if Set(tensors).count < tensors.count { return "two tensors have the same name" }
    if let copy = copies.first(where: { $0.byteCount < 0 }) {
      return "\(copy.name) has a negative size"
    }
    return files.lazy.compactMap(\.flaw).first
  }

  private static func isInside(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) }
  }
}

extension FileLayout {
  fileprivate var flaw: String? {
    var end = header.count
    for tensor in tensors {
      let (next, isTooLarge) = tensor.offset.addingReportingOverflow(tensor.byteCount)
      guard tensor.byteCount >= 0, tensor.offset >= end, !isTooLarge, next <= byteCount else {
        return "\(name): tensor \(tensor.name) does not lie in a place of its own"
      }
      end = next
    }
    return end <= byteCount ? nil : "\(name) is smaller than what it begins with"
  }
}
