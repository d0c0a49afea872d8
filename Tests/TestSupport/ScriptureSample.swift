import Checkpoints
import Inference
import Tensors

/// The repository's sample model, and tokens for it that are no text.
public struct ScriptureSample {
  public let checkpoint: Checkpoint
  public let decoder: Decoder
  public let tokens: [Int]

  public init() throws {
    checkpoint = try Checkpoint.open(Repository.path("Samples/scripture"))
    decoder = try Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 2))
    let vocabulary = checkpoint.description.vocabularySize
    var random = SeededRandom(seed: 3)
    tokens = (0..<256).map { _ in Int.random(in: 1..<vocabulary, using: &random) }
  }
}
