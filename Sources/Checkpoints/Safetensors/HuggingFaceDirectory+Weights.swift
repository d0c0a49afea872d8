import Tensors
import JSON

extension HuggingFaceDirectory {
  private static let suffix = ".safetensors"

  /// Weights of LoRA, which are no model's.
  private static let adapter = "adapter_model.safetensors"

  /// The files of weights, sorted.
  private var weightFiles: [String] {
    names.filter { $0.hasSuffix(Self.suffix) && $0 != Self.adapter }
  }

  /// Whether there is anything to open.
  var hasWeights: Bool { contains(Self.index) || !weightFiles.isEmpty }

  /// Maps the weight files and reads their headers: the single file's, or all shards'.
  ///
  /// If `only` names a file that is no shard, that one is read; if it names a shard, all of them are.
  func tensors(only: String?) throws(CheckpointError) -> TensorTable {
    try read(try chosenWeights(only: only))
  }

  /// Which files are read, and what they should hold.
  private struct Weights {
    var files: [String]
    /// The file that the index says each tensor is in.
    var places: [String: String] = [:]
    var notes: [String] = []
  }

  private func chosenWeights(only: String?) throws(CheckpointError) -> Weights {
    // transformers looks for the single file first, whatever else there is.
    let isSingle = contains(Self.singleFile)
    if let only {
      if !isSingle, let shards = try shards(), shards.files.contains(only) { return shards }
      return Weights(files: PartName(only, suffix: Self.suffix)?.all ?? [only])
    }
    if isSingle {
      guard contains(Self.index) else { return Weights(files: [Self.singleFile]) }
      return Weights(
        files: [Self.singleFile],
        notes: [
          "\(Self.singleFile) is read, as transformers does, and not the shards that "
            + "\(Self.index) lists"
        ])
    }
    if let shards = try shards() { return shards }
    let parts = Set(weightFiles.compactMap { PartName($0, suffix: Self.suffix)?.all })
    if let all = parts.first, parts.count == 1 {
      return Weights(
        files: all,
        notes: ["there is no \(Self.index): all \(all.count) parts of the weights are read"])
    }
    guard let file = weightFiles.first, weightFiles.count == 1 else {
      throw CheckpointError(
        file: path,
        reason: "holds \(weightFiles.count) files of weights, and no \(Self.index) that says which",
        hint: weightFiles.isEmpty ? nil : "give one of \(weightFiles.map(filePath).listed())")
    }
    return Weights(files: [file], notes: ["\(file) is read, the one file of weights"])
  }

  /// The shards that the index lists; nil if there is none.
  private func shards() throws(CheckpointError) -> Weights? {
    guard let index = try json(Self.index) else { return nil }
    guard let map = try index.section("weight_map") else {
      throw index.error("weight_map is missing")
    }
    var places: [String: String] = [:]
    for member in map.root.members {
      // A name with a slash could lead out of the directory.
      guard let file = member.value.string, file.hasSuffix(Self.suffix), !file.contains("/")
      else {
        throw CheckpointError(
          file: index.file, tensor: member.name, reason: "is not mapped to a safetensors file")
      }
      places[member.name] = file
    }
    return Weights(files: Set(places.values).sorted(), places: places)
  }

  private func read(_ weights: Weights) throws(CheckpointError) -> TensorTable {
    try checkPresence(weights)
    var storages: [ByteStorage] = []
    var entries: [TensorEntry] = []
    var found: [String: String] = [:]
    for (number, file) in weights.files.enumerated() {
      let storage = try CheckpointFile.map(filePath(file))
      storages.append(storage)
      let header = try SafetensorsHeader.read(storage, name: filePath(file), file: number)
      for entry in header {
        if let other = found.updateValue(file, forKey: entry.name) {
          throw CheckpointError(
            file: filePath(file), tensor: entry.name, reason: "is also stored in \(other)")
        }
      }
      entries += header
    }
    let notes = try weights.notes + misplaced(weights.places, found: found)
    return TensorTable(
      name: weights.files.count == 1 ? filePath(weights.files[0]) : path,
      files: weights.files.map(filePath), storages: storages, entries: entries, notes: notes)
  }

  private func checkPresence(_ weights: Weights) throws(CheckpointError) {
    let missing = weights.files.filter { !contains($0) }
    guard let first = missing.first else { return }
    let reason =
      weights.files.count == 1
      ? "is missing"
      : "is missing: \(weights.files.count - missing.count) of \(weights.files.count) parts of the "
        + "weights are there"
    let repository = HubCache.repository(ofPath: path)
    throw CheckpointError(
      file: filePath(first), reason: reason,
      hint: repository.map { "run `hf download \($0)`" }
        ?? "get \(missing.listed()) from the model's source")
  }

  /// Notes tensors that lie in another shard than the index says: transformers reads all that shards hold.
  private func misplaced(
    _ places: [String: String], found: [String: String]
  ) throws(CheckpointError) -> [String] {
    let others = places.filter { found[$0.key] != $0.value }.sorted { $0.key < $1.key }
    guard let first = others.first else { return [] }
    if let lost = others.first(where: { found[$0.key] == nil }) {
      throw CheckpointError(
        file: filePath(lost.value), tensor: lost.key,
        reason: "is missing, though \(Self.index) lists it",
        hint: "get this file again from its source")
    }
    return [
      "\(Self.index) names the wrong part for \(others.count) tensors, such as \(first.key), which are "
        + "read where they are"
    ]
  }
}
