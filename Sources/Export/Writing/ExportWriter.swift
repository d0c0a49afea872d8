import Checkpoints
import Tensors

/// Writes a layout's files from tensors that come in any order, and puts them in their place once they are complete.
///
/// Until then everything lies in `PATH.partial`: the files, and a journal of the layers that are on the disk. Another
/// writer of the same layout for the same purpose goes on from there with each layer that is what the journal says, and
/// that was made from what the checkpoint holds now; any other begins afresh.
public struct ExportWriter {
  private let layout: ExportLayout
  let destination: ExportDestination
  let journal: ExportJournal
  let slots: [String: (file: FileLayout, slot: TensorSlot)]
  /// The files, open as long as they are written.
  private var files: [String: PositionedFile] = [:]
  /// Hashes of tensors, as far as they are written.
  var hashes: [String: ContentHash] = [:]
  /// Tensors that are complete.
  var written: Set<String> = []
  /// Layers that an interrupted writer had written.
  public private(set) var adopted = 0
  /// Bytes that are written, those of earlier writers counted.
  public internal(set) var writtenBytes = 0

  /// Begins to write, or goes on with what an interrupted writer left.
  ///
  /// - Parameters:
  ///   - layout: what to write.
  ///   - path: where it appears in the end.
  ///   - form: what appears there; a file needs a layout of one file.
  ///   - replaces: whether what is there already may be replaced.
  ///   - purpose: all that the tensors' elements come from but what layers hold: model, plan, calibration.
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
      journal = try ExportJournal(
        path: "\(destination.partial)/journal", digest: layout.digest(of: purpose))
    } catch {
      throw ExportError(error)
    }
    try begin()
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
  /// - Precondition: parts come in order.
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
    var hash = start == 0 ? ContentHash() : hashes[tensor.name] ?? ContentHash()
    precondition(start == hash.count && limit >= 0, "the next part of the tensor")
    let end = start + min(limit, slot.byteCount - start)
    do {
      let target = try opened(file)
      try target.write(tensor.bytes[start..<end], at: slot.offset + start)
      // Parts of a large tensor reach the disk one by one, so that none of the waits for it is long.
      if end < slot.byteCount { try target.synchronize() }
    } catch {
      throw ExportError(error, tensor: tensor.name)
    }
    hash.add(tensor.bytes[start..<end])
    hashes[tensor.name] = hash
    writtenBytes += end - start
    if end == slot.byteCount { written.insert(tensor.name) }
    return end
  }

  /// Takes on a layer from an interrupted writer.
  ///
  /// - Parameters:
  ///   - layer: its name.
  ///   - tensors: the tensors that hold it.
  ///   - source: a hash of what it would be made from now.
  /// - Returns: whether it need not be written again: it was made from that, and is on the disk as it was written.
  /// - Throws: ``ExportError`` when somebody changes the files.
  public mutating func adopt(
    _ layer: String, tensors: [String], source: String
  ) throws(ExportError) -> Bool {
    guard let claim = journal.claim(of: layer), claim.source == source else { return false }
    var found: [(name: String, hash: String)] = []
    for name in tensors {
      guard let (file, slot) = slots[name] else { return false }
      let open: PositionedFile
      do { open = try opened(file) } catch { throw ExportError(error, tensor: name) }
      // What cannot be read can still be written again.
      guard let hash = try? open.hash(of: slot.offset..<slot.offset + slot.byteCount) else {
        return false
      }
      found.append((name, hash.digits))
    }
    guard ExportJournal.matches(claim, found) else { return false }
    written.formUnion(tensors)
    writtenBytes += tensors.reduce(0) { $0 + (slots[$1]?.slot.byteCount ?? 0) }
    adopted += 1
    return true
  }

  /// What became of what an earlier writer had left, in a sentence; nil if there was nothing.
  public var leftoverNote: String? {
    if journal.isOfAnother {
      return "\(destination.partial) was left by another export, and was removed"
    }
    guard adopted > 0 else { return nil }
    return
      "\(adopted) layers were taken from \(destination.partial), which an interrupted export had left"
  }

  /// Whether an interrupted writer claims to have written a layer.
  public func canAdopt(_ layer: String) -> Bool { journal.claim(of: layer) != nil }

  /// Notes that a layer is complete, so that it need not be written again after an interruption.
  ///
  /// - Parameters:
  ///   - layer: its name.
  ///   - tensors: the tensors that hold it, all of them written.
  ///   - source: a hash of what it was made from.
  /// - Throws: ``ExportError`` when that cannot be noted.
  public mutating func complete(
    _ layer: String, tensors: [String], source: String
  ) throws(ExportError) {
    precondition(written.isSuperset(of: tensors), "complete layers are written")
    do throws(StorageError) {
      let files = Dictionary(
        tensors.compactMap { slots[$0]?.file }.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })
      for file in files.values { try opened(file).synchronize() }
      try journal.note(
        layer, source: source, tensors: tensors.map { ($0, hashes[$0]?.digits ?? "") })
    } catch {
      throw ExportError(error)
    }
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
      for file in layout.files { try opened(file).synchronize() }
      for directory in directories { try FileSystem.synchronize(directory: directory) }
      try journal.end()
      try destination.receive(destination.form == .file ? place(of: layout.files[0].name) : root)
    } catch {
      throw ExportError(error)
    }
    do throws(StorageError) {
      try FileSystem.remove(destination.partial)
    } catch {
      throw .file(
        path: destination.path, tensor: nil,
        reason: "is complete, but what is left of writing it cannot be removed: \(error)")
    }
  }
}

extension ExportWriter {
  /// Bytes of a copied file that are in memory at a time.
  private static let copyLength = 8 << 20

  /// The directory that files lie in until they are put in their place.
  public var root: String { "\(destination.partial)/files" }

  /// Where a file lies until then, by the name that it will have.
  public func path(of name: String) -> String {
    place(of: destination.form == .file ? layout.files[0].name : name)
  }

  private func place(of name: String) -> String { "\(root)/\(name)" }

  /// The directories that the files are in, the deepest first.
  private var directories: [String] {
    Set(names.flatMap(Self.parents)).sorted(by: >).map(place) + [root]
  }

  /// The names of all files.
  private var names: [String] { layout.files.map(\.name) + layout.copies.map(\.name) }

  /// Clears away what is another export's, or of no use to this one; then writes all but tensors.
  private mutating func begin() throws(ExportError) {
    do throws(StorageError) {
      if try destination.recover() { try destination.checkPlace() }
      if journal.isResumed, try FileSystem.kind(of: root) == .directory {
        try removeStrangers(
          in: root, below: "", files: Set(names), parents: Set(names.flatMap(Self.parents)))
      } else {
        try FileSystem.remove(root)
        try FileSystem.makeDirectory(root)
        try checkSpace()
        try journal.begin()
      }
      for file in layout.files { try writeHeader(of: file) }
      for copy in layout.copies { try write(copy) }
    } catch {
      // Nothing is lost with what has no layer yet.
      if !journal.isResumed { try? FileSystem.remove(destination.partial) }
      throw ExportError(error)
    }
    writtenBytes += layout.byteCount - slots.values.reduce(0) { $0 + $1.slot.byteCount }
  }

  /// Removes what is neither a file of the layout nor a directory above one: it would go into the export.
  private func removeStrangers(
    in directory: String, below prefix: String, files: Set<String>, parents: Set<String>
  ) throws(StorageError) {
    for name in try FileSystem.names(in: directory) {
      let (path, inside) = ("\(directory)/\(name)", prefix + name)
      let kind = try FileSystem.kind(of: path)
      if kind == .directory, parents.contains(inside) {
        try removeStrangers(in: path, below: "\(inside)/", files: files, parents: parents)
      } else if kind != .file || !files.contains(inside) {
        try FileSystem.remove(path)
      }
    }
  }

  private func checkSpace() throws(StorageError) {
    let free = try FileSystem.freeBytes(at: root)
    guard free < layout.byteCount else { return }
    throw StorageError(
      path: destination.path,
      reason: "takes \(layout.byteCount) bytes, and only \(free) are free there")
  }

  /// A file of the layout, which must still be the one that was made.
  func opened(_ file: FileLayout) throws(StorageError) -> PositionedFile {
    guard let open = files[file.name] else {
      preconditionFailure("files are made before they are written")
    }
    try open.check()
    return open
  }

  private mutating func writeHeader(of file: FileLayout) throws(StorageError) {
    try makeParents(of: file.name)
    let target = try PositionedFile(path: place(of: file.name), byteCount: file.byteCount)
    try target.write(file.header[...], at: 0)
    // A file of an interrupted writer may hold anything where no tensor is.
    for gap in file.gaps {
      try target.write([UInt8](repeating: 0, count: gap.count)[...], at: gap.lowerBound)
    }
    files[file.name] = target
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
    if let damage = source.damage { throw damage }
    try target.synchronize()
  }

  private func makeParents(of name: String) throws(StorageError) {
    for parent in Self.parents(of: name) { try FileSystem.makeDirectory(place(of: parent)) }
  }

  /// The directories above a name, the highest first.
  private static func parents(of name: String) -> [String] {
    let parts = name.split(separator: "/").dropLast()
    return parts.indices.map { parts[...$0].joined(separator: "/") }
  }
}
