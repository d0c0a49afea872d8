import Checkpoints
import Compression
import FoundationEssentials
import Inference
import Tensors
import Testing
import Tokenization

/// Calibration against what llama-imatrix collects from the same model and text.
struct ImportanceMatrixTests {
  private static let fixtures = "../../CheckpointsTests/Fixtures/"
  private let path = Fixture.url("\(fixtures)tiny-imatrix.gguf").path()
  private let checkpoint: Checkpoint
  private let windows: TokenWindows

  init() throws {
    checkpoint = try Checkpoint.open(Fixture.url("\(Self.fixtures)tiny.gguf").path())
    let tokenizer = try Tokenizer(checkpoint.tokenizerDefinition())
    var reader = try TextReader(path: Fixture.url("text.txt").path(), tokenizer: tokenizer)
    var ids: [Int] = []
    while let piece = try reader.next() { ids += piece }
    windows = try TokenWindows(
      ids, length: 64, limit: 4, beginToken: tokenizer.textBegin,
      contextLength: checkpoint.description.contextLength)
  }

  /// Second moments of all layers in blocks, by name.
  private func collected() throws -> [String: InputStatistics] {
    let model = checkpoint.description
    let decoder = try Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 2))
    var pass = try ActivationPass(windows, decoder: decoder)
    var statistics: [String: InputStatistics] = [:]
    for block in 0..<model.blockCount {
      try pass.sweep(observing: .moments, advancing: true, with: decoder)
      for layer in model.layers where layer.block == block {
        statistics[layer.name] = layer.site.flatMap { pass.statistics(at: $0) }
      }
    }
    return statistics
  }

  /// llama.cpp multiplies F16 weights with inputs rounded to F16.
  @Test func momentsAreThoseOfLlamaCpp() throws {
    let found = try collected()
    let expected = try ImportanceMatrix(path: path).statistics(
      for: checkpoint.description, from: path)
    #expect(Set(found.keys) == Set(expected.keys) && expected.count == 14)
    for (name, expected) in expected {
      let found = try #require(found[name])
      #expect(found.tokens == expected.tokens)
      #expect(relativeError(found.secondMoments, expected.secondMoments) < 1e-3, "\(name)")
      #expect(expected.gram == nil)
    }
  }

  @Test func writtenAndReadAgainTheyAreTheSame() throws {
    let model = checkpoint.description
    let found = try collected()
    let matrix = ImportanceMatrix(found, of: model, datasets: ["text.txt"], windows: windows)
    let recorded = try ImportanceMatrix(path: path)
    #expect(Set(matrix.entries.keys) == Set(recorded.entries.keys))
    #expect(matrix.datasets == recorded.datasets)
    #expect(matrix.chunkCount == 4 && matrix.chunkSize == 64)
    for (name, again) in try matrix.statistics(for: model, from: path) {
      let before = try #require(found[name])
      #expect(relativeError(again.secondMoments, before.secondMoments) < 1e-6)
    }
  }

  @Test func anImatrixOfAnotherModelIsRefused() throws {
    let matrix = try ImportanceMatrix(path: path)
    func message(_ model: ModelDescription) throws -> String? {
      let error = #expect(throws: CheckpointError.self) {
        try matrix.statistics(for: model, from: path)
      }
      return error?.description
    }
    #expect(
      try message(TinyModel().description)?.contains("32 sums for a layer of 64 inputs") == true)
    var other = matrix
    other.entries = ["blk.9.attn_q.weight": .init(sums: [1], tokens: 1)]
    #expect(throws: CheckpointError.self) {
      try other.statistics(for: checkpoint.description, from: path)
    }
  }
}
