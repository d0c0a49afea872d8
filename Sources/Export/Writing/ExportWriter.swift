import Checkpoints
import Tensors

/// Writes a layout's files from tensors that come in any order, and puts them in their place once they are complete.
///
/// Until then everything lies in `PATH.partial`: the files, and a journal of the layers that are on the disk. Another
/// writer of the same layout for the same purpose goes on from there; any other begins afresh.
public struct ExportWriter {
  private let layout: ExportLayout
  private let destination: ExportDestination
  private let journal: JournalFile
  private let slots: [String: (file: FileLayout, slot: TensorSlot)]
  /// Tensors that are complete.
  private var written: Set<String> = []
  /// Layers that an earlier writer has completed: they need not be written again.
  public private(set) var completed: Set<String> = []
  /// Bytes that are written, those of earlier writers counted.
  public private(set) var writtenBytes = 0

  /// Begins to write, or goes on with what an interrupted writer left.
  ///
  /// - Parameters:
  ///   - layout: what to write.
  ///   - path: where it appears in the end.
  ///   - form: what appears there; a file needs a layout of one file.
  ///   - replaces: whether what is there already may be replaced.
  ///   - purpose: all that the tensors' elements come from: model, plan, calibration.
  /// - Throws: ``ExportError`` when the layout is flawed, or the path is taken, cannot be written, or has too little
  ///   space.
  public init(
    _ layout: ExportLayout, to path: String, as form: ExportForm, replaces: Bool, purpose: String
  ) throws(ExportError) {
    destination = try ExportDestination(path, form, replaces: replaces)
    if let flaw = layout.flaw {
      throw .file(path: destination.path, tensor: nil, reason: flaw)
    }
    precondition(
      form == .directory || (layout.files.count == 1 && layout.copies.isEmpty),
      "a file is made of one file")
    self.layout = layout
    slots = Dictionary(
      uniqueKeysWithValues: layout.files.flatMap { file in
        file.tensors.map { ($0.name, (file: file, slot: $0)) }
      })
    do throws(StorageError) {
      try FileSystem.makeDirectory(destination.partial)
      journal = try JournalFile(path: "\(destination.partial)/journal")
    } catch {
      throw ExportError(error)
    }
    try begin(Self.title(of: layout.digest(of: purpose)))
  }

  /// Checks that an export can be put at a path.
  ///
  /// - Parameters:
  ///   - path: where it appears in the end.
  ///   - form: what appears there.
  ///   - replaces: whether what is there already may be replaced.
  ///   - model: what is exported, which must not be replaced, nor a file of it if it has several.
  /// - Throws: ``ExportError`` that says why not.
  public static func check(
    _ path: String, as form: ExportForm, replaces: Bool, spares model: String
  ) throws(ExportError) {
    let destination = try ExportDestination(path, form, replaces: replaces)
    guard let source = FileSystem.resolved(model),
      let target = FileSystem.resolved(destination.path)
    else { return }
    let isAround = "\(source)/".hasPrefix("\(target)/")
    let isPart = ["model", "config", "tokenizer"].contains { target.hasPrefix("\(source)/\($0)") }
    let isOtherPart =
      PartName(gguf: source).map { PartName(gguf: target)?.belongs(with: $0) ?? false } ?? false
    guard isAround || isPart || isOtherPart else { return }
    throw .file(
      path: destination.path, tensor: nil,
      reason: "is the model that is open, or holds it or a part of it; name another path")
  }

  /// Where a writer to this path keeps what is not complete yet.
  public static func partialPath(for path: String) -> String {
    (try? ExportDestination(path, .directory, replaces: true).partial) ?? "\(path).partial"
  }

  /// Writes some of a tensor's bytes.
  ///
  /// - Parameters:
  ///   - tensor: one of the layout, with as many bytes as it has there.
  ///   - start: how many of them are written already.
  ///   - limit: most bytes to write.
  /// - Returns: how many of them are written then.
  /// - Throws: ``ExportError`` when the tensor does not fit the layout, or cannot be written.
  public mutating func write(
    _ tensor: EncodedTensor, from start: Int = 0, limit: Int = .max
  ) throws(ExportError) -> Int {
    guard let (file, slot) = slots[tensor.name] else {
      throw .file(path: destination.path, tensor: tensor.name, reason: "has no place in the export")
    }
    guard tensor.bytes.count == slot.byteCount else {
      throw .file(
        path: file.name, tensor: tensor.name,
        reason: "has \(tensor.bytes.count) bytes, not \(slot.byteCount)")
    }
    precondition(start >= 0 && start <= slot.byteCount && limit >= 0, "a part of the tensor")
    let end = start + min(limit, slot.byteCount - start)
    do {
      let target = try PositionedFile(path: place(of: file.name), byteCount: file.byteCount)
      try target.write(tensor.bytes[start..<end], at: slot.offset + start)
      // Parts of a large tensor reach the disk one by one, so that none of the waits for it is long.
      if end < slot.byteCount { try target.synchronize() }
    } catch {
      throw ExportError(error, tensor: tensor.name)
    }
    writtenBytes += end - start
    if end == slot.byteCount { written.insert(tensor.name) }
    return end
  }

  /// Notes that a layer is complete, so that it need not be written again after an interruption.
  ///
  /// - Parameters:
  ///   - layer: its name.
  ///   - tensors: the tensors that hold it, all of them written.
  /// - Throws: ``ExportError`` when that cannot be noted.
  public mutating func complete(_ layer: String, tensors: [String]) throws(ExportError) {
    precondition(written.isSuperset(of: tensors), "complete layers are written")
    do throws(StorageError) {
      let files = Dictionary(
        tensors.compactMap { slots[$0]?.file }.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })
      for file in files.values { try synchronize(file) }
      try journal.append(([layer] + tensors).joined(separator: "\t"))
    } catch {
      throw ExportError(error)
    }
    completed.insert(layer)
  }

  /// Puts the complete export in its place.
  ///
  /// - Throws: ``ExportError`` when tensors are missing, or the path was taken meanwhile; then all is as before.
  public consuming func finish() throws(ExportError) {
    if let missing = slots.keys.filter({ !written.contains($0) }).min() {
      throw .file(path: destination.path, tensor: missing, reason: "was not written")
    }
    try destination.check()
    do throws(StorageError) {
      for file in layout.files { try synchronize(file) }
      try FileSystem.synchronize(directory: root)
      try destination.receive(destination.form == .file ? place(of: layout.files[0].name) : root)
      try FileSystem.remove(destination.partial)
    } catch {
      throw ExportError(error)
    }
  }
}

extension ExportWriter {
  /// Bytes of a copied file that are in memory at a time.
  private static let copyLength = 8 << 20

  private static func title(of digest: String) -> String { "vise export 1 \(digest)" }

  /// The directory that the files are written to.
  private var root: String { "\(destination.partial)/files" }

  private func place(of name: String) -> String { "\(root)/\(name)" }

  /// Takes on what is complete, or clears it away if it is another export's; then writes all but tensors.
  private mutating func begin(_ title: String) throws(ExportError) {
    do throws(StorageError) {
      if journal.lines.first == title, try FileSystem.kind(of: root) == .directory {
        for line in journal.lines.dropFirst() {
          let names = line.split(separator: "\t").map(String.init)
          guard let layer = names.first, names.dropFirst().allSatisfy({ slots[$0] != nil })
          else { continue }
          completed.insert(layer)
          written.formUnion(names.dropFirst())
        }
        writtenBytes = written.reduce(0) { $0 + (slots[$1]?.slot.byteCount ?? 0) }
      } else {
        try journal.clear()
        try FileSystem.remove(root)
        try FileSystem.makeDirectory(root)
        try checkSpace()
        try journal.append(title)
      }
      for file in layout.files { try writeHeader(of: file) }
      for copy in layout.copies { try write(copy) }
    } catch {
      // Nothing is lost with what has no layer yet.
      if completed.isEmpty { try? FileSystem.remove(destination.partial) }
      throw ExportError(error)
    }
    writtenBytes += layout.byteCount - slots.values.reduce(0) { $0 + $1.slot.byteCount }
  }

  private func checkSpace() throws(StorageError) {
    let free = try FileSystem.freeBytes(at: root)
    guard free < layout.byteCount else { return }
    throw StorageError(
      path: destination.path,
      reason: "takes \(layout.byteCount) bytes, and only \(free) are free there")
  }

  private func synchronize(_ file: FileLayout) throws(StorageError) {
    try PositionedFile(path: place(of: file.name), byteCount: file.byteCount).synchronize()
  }

  private func writeHeader(of file: FileLayout) throws(StorageError) {
    try makeParents(of: file.name)
    let target = try PositionedFile(path: place(of: file.name), byteCount: file.byteCount)
    try target.write(file.header[...], at: 0)
  }

  private func write(_ copy: FileCopy) throws(StorageError) {
    try makeParents(of: copy.name)
    let source = try ByteStorage(mapping: copy.source)
    guard source.count == copy.byteCount else {
      throw StorageError(path: copy.source, reason: "has changed while it was exported")
    }
    let target = try PositionedFile(path: place(of: copy.name), byteCount: copy.byteCount)
    for start in stride(from: 0, to: source.count, by: Self.copyLength) {
      let end = min(start + Self.copyLength, source.count)
      try target.write(source.bytes(in: start..<end)[...], at: start)
    }
    try target.synchronize()
  }

  private func makeParents(of name: String) throws(StorageError) {
    let parts = name.split(separator: "/").dropLast()
    for count in parts.indices {
      try FileSystem.makeDirectory(place(of: parts[...count].joined(separator: "/")))
    }
  }
}
