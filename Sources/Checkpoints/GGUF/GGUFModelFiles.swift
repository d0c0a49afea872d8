import Tensors

/// A model's GGUF file, or all parts of a model that was split into several.
///
/// llama.cpp's `llama-gguf-split` names parts `NAME-00001-of-00003.gguf`; the first holds the metadata, and each says in
/// `split.no`, `split.count` and `split.tensors.count` which of how many parts it is and how many tensors there are in all.
struct GGUFModelFiles {
  /// The header that holds the model's metadata: the only file's, or the first part's.
  let header: GGUFHeader
  /// The tensors of all parts.
  let table: TensorTable

  /// Opens the parts that belong to the file at `path`, whichever of them that is.
  ///
  /// - Throws: ``CheckpointError`` that names what is missing, or how parts disagree.
  init(_ storage: ByteStorage, path: String) throws(CheckpointError) {
    let given = try GGUFHeader(storage, file: path)
    guard let part = try SplitPart(of: given) else {
      header = given
      table = TensorTable(
        name: path, files: [path], storages: [storage], entries: given.entries)
      return
    }
    guard let partName = PartName(gguf: path), partName.index == part.index,
      partName.count == part.count
    else { throw Self.misnamed(part, given) }
    var headers: [GGUFHeader] = []
    var missing: [String] = []
    for index in 0..<part.count {
      let path = partName.part(index)
      if index == part.index {
        headers.append(given)
      } else if Self.exists(path) {
        headers.append(try Self.header(at: path))
      } else {
        missing.append(path.fileName)
      }
    }
    guard missing.isEmpty else { throw Self.lacking(missing, of: part, given) }
    table = try Self.table(of: headers, name: path, part)
    header = headers[0]
  }

  /// The tensors of all parts, if the parts agree on what they are.
  private static func table(
    of headers: [GGUFHeader], name: String, _ given: SplitPart
  ) throws(CheckpointError) -> TensorTable {
    var entries: [TensorEntry] = []
    var owners: [String: Int] = [:]
    for (index, header) in headers.enumerated() {
      guard let part = try SplitPart(of: header), part.index == index, part.count == given.count,
        part.tensorCount == given.tensorCount
      else {
        throw header.error(
          "is not part \(index + 1) of the \(given.count) that its name makes it: "
            + "the parts' split.no, split.count and split.tensors.count disagree",
          hint: "get all parts again from the same source")
      }
      for entry in header.entries {
        if let owner = owners.updateValue(index, forKey: entry.name) {
          throw CheckpointError(
            file: header.file, tensor: entry.name,
            reason: "is in \(headers[owner].file.fileName) as well",
            hint: "get all parts again from the same source")
        }
        entries.append(entry.moved(toFile: index))
      }
    }
    if let count = given.tensorCount, count != entries.count {
      throw headers[0].error(
        "says that the parts hold \(count) tensors, and they hold \(entries.count)",
        hint: "get all parts again from the same source")
    }
    return TensorTable(
      name: name, files: headers.map(\.file), storages: headers.map(\.storage), entries: entries)
  }

  private static func header(at path: String) throws(CheckpointError) -> GGUFHeader {
    try GGUFHeader(CheckpointFile.map(path), file: path)
  }

  /// Whether something is at `path`; what cannot be looked at is left to the attempt to open it.
  private static func exists(_ path: String) -> Bool {
    do { return try FileSystem.kind(of: path) != nil } catch { return true }
  }

  private static func lacking(
    _ missing: [String], of part: SplitPart, _ header: GGUFHeader
  ) -> CheckpointError {
    header.error(
      "is part \(part.index + 1) of \(part.count), and beside it there is no \(missing.listed(limit: 4))",
      hint: "put all parts into one directory")
  }

  private static func misnamed(_ part: SplitPart, _ header: GGUFHeader) -> CheckpointError {
    let ending = PartName.ggufEnding(part.index, of: part.count)
    return header.error(
      "is part \(part.index + 1) of \(part.count) of a model, "
        + "but its name does not end in \(ending)",
      hint: "give the parts their names again, or join them with llama-gguf-split --merge")
  }
}

/// Which part of a model a file says that it is.
private struct SplitPart {
  /// From 0.
  let index: Int
  /// At least 2.
  let count: Int
  /// Tensors of all parts; nil where the file does not say.
  let tensorCount: Int?

  /// nil for a model of one file; llama.cpp leaves a count of 0 or 1 behind in such.
  init?(of header: GGUFHeader) throws(CheckpointError) {
    guard let count = header.value("split.count"), count != .integer(0), count != .integer(1)
    else { return nil }
    self.count = try header.size("split.count", limit: 99_999)
    guard case .integer(let index) = header.value("split.no"), (0..<self.count).contains(index)
    else { throw header.error("split.no is missing, or no number below \(self.count)") }
    self.index = index
    tensorCount =
      header.value("split.tensors.count") == nil ? nil : try header.size("split.tensors.count")
  }
}
