import Tensors

/// What is noted of an export on its way: which one it is, and of each layer that was written what it was made from and what
/// its tensors hash to.
///
/// Lines are claims: each ends with a hash of itself and of the export that it is of, and whoever goes on from them
/// checks what they say against the files. The line `complete` is the commit: from then on files are only moved.
struct ExportJournal {
  /// What a line says of a layer.
  struct Claim: Hashable {
    let source: String
    /// Names and hashes by turns.
    let tensors: [String]
  }

  private let file: JournalFile
  private let title: String
  /// Whether the journal is of this very export.
  let isResumed: Bool
  /// Whether it is of another one.
  let isOfAnother: Bool
  private let claims: [String: Claim]

  /// Opens a journal, which is made if it is not there.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - digest: Tells the export from all others.
  /// - Throws: ``StorageError`` when it cannot be read and written, or another export holds it.
  init(path: String, digest: String) throws(StorageError) {
    file = try JournalFile(path: path)
    title = "vise export 2 \(digest)"
    isResumed = file.lines.first == title
    isOfAnother = !isResumed && !file.lines.isEmpty
    var claims: [String: Claim] = [:]
    for line in isResumed ? file.lines.dropFirst() : [] {
      let fields = Self.fields(of: line, under: title)
      guard fields.count >= 3, fields[0] == "layer" else { continue }
      claims[fields[1]] = Claim(source: fields[2], tensors: Array(fields.dropFirst(3)))
    }
    self.claims = claims
  }

  /// What is claimed of a layer; nil if it was not written.
  func claim(of layer: String) -> Claim? { claims[Self.escaped(layer)] }

  /// Drops what the journal said, and begins it.
  func begin() throws(StorageError) {
    try file.clear()
    try file.append(title)
  }

  /// Notes that a layer was written; if it `synchronizes`, the note is on the disk when this returns.
  func note(
    _ layer: String, source: String, tensors: [(name: String, hash: String)],
    synchronizes: Bool = true
  ) throws(StorageError) {
    try append(
      ["layer", layer, source] + Self.inOrder(tensors).flatMap { [$0.name, $0.hash] },
      synchronizes: synchronizes)
  }

  /// Notes that all was written.
  func end() throws(StorageError) { try append(["complete"]) }

  /// Whether a claim is of these tensors with these hashes.
  static func matches(_ claim: Claim, _ tensors: [(name: String, hash: String)]) -> Bool {
    claim.tensors == inOrder(tensors).flatMap { [escaped($0.name), $0.hash] }
  }

  private static func inOrder(
    _ tensors: [(name: String, hash: String)]
  ) -> [(name: String, hash: String)] {
    tensors.sorted { $0.name < $1.name }
  }

  private func append(
    _ fields: [String], synchronizes: Bool = true
  ) throws(StorageError) {
    let text = fields.map(Self.escaped).joined(separator: "\t")
    try file.append(
      "\(text)\t\(Self.check(of: text, under: title))", synchronizes: synchronizes)
  }

  /// The fields of a line; none if it is not whole, or another export's.
  private static func fields(of line: String, under title: String) -> [String] {
    guard let end = line.lastIndex(of: "\t"),
      line[line.index(after: end)...] == check(of: String(line[..<end]), under: title)
    else { return [] }
    return line[..<end].split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
  }

  private static func check(of text: String, under title: String) -> String {
    var hash = ContentHash()
    hash.add(title)
    hash.add(text)
    return hash.digits
  }

  /// A name without what parts fields and lines.
  private static func escaped(_ name: String) -> String {
    name.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing("\n", with: "\\n")
  }
}
