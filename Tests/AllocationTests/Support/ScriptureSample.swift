import Checkpoints
import Inference
import Tensors
import TestSupport

/// The repository's sample model, and tokens for it that are no text.
struct ScriptureSample {
  let checkpoint: Checkpoint
  let decoder: Decoder
  let tokens: [Int]

  init() throws {
    checkpoint = try Checkpoint.open(Repository.path("Samples/scripture"))
    decoder = try Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 2))
    let vocabulary = checkpoint.description.vocabularySize
    var random = SeededRandom(seed: 3)
    tokens = (0..<256).map { _ in Int.random(in: 1..<vocabulary, using: &random) }
  }
}
