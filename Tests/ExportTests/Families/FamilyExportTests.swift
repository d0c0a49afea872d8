import Checkpoints
import Compression
import Export
import Inference
import Tensors
import TestSupport
import Testing

/// Every family that runs, exported as it is and opened again, against what transformers computes with the original.
///
/// The models are made by `make families`.
struct FamilyExportTests {
  private static let pool = WorkerPool(threads: 2)

  private func kept(_ checkpoint: Checkpoint) throws -> CompressedModel {
    try CompressedModel(checkpoint) { _ in .keep }
  }

  private func expectLogits(
    of checkpoint: Checkpoint, _ family: Family, _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(checkpoint.description.abilities == .all, sourceLocation: location)
    let decoder = try Inference.Decoder(checkpoint: checkpoint, pool: Self.pool)
    for (row, tokens) in family.rows.enumerated() {
      var cache = decoder.makeCache()
      let found = try decoder.forward(tokens: tokens, cache: &cache, wants: .all)
      let error = largestError(found.values, family.logits(ofRow: row))
      #expect(error < 1e-5, "row \(row)", sourceLocation: location)
    }
  }

  private func expectLogitsOfDirectory(_ checkpoint: Checkpoint, _ family: Family) throws {
    let model = try kept(checkpoint)
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    try TestFiles.with(try model.files(encoding)) { folder in
      try expectLogits(of: .open(folder), family)
    }
  }

  @Test(arguments: Family.names)
  func directoriesStayThemselves(name: String) throws {
    let family = try Family(name)
    try expectLogitsOfDirectory(.open(family.path), family)
  }

  /// To GGUF, and from there back to a directory.
  @Test(arguments: Family.names)
  func filesAndWhatIsMadeOfThemAreTheSameModel(name: String) throws {
    let family = try Family(name)
    let model = try kept(.open(family.path))
    let file = try model.file(GGUFEncoding(model: model.export))
    try TestFiles.with(file, named: "\(name).gguf") { path in
      let gguf = try Checkpoint.open(path)
      try expectLogits(of: gguf, family)
      try expectLogitsOfDirectory(gguf, family)
    }
  }
}
