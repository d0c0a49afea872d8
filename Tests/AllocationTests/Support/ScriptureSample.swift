import Checkpoints
import Foundation
import Inference
import Tensors

/// The repository's sample model, and tokens for it that are no text.
struct ScriptureSample {
  let checkpoint: Checkpoint
  let decoder: Decoder
  let tokens: [Int]

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    checkpoint = try Checkpoint.open(root.appending(path: "Samples/scripture").path)
    decoder = try Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 2))
    let vocabulary = checkpoint.description.vocabularySize
    var random = SeededRandom(state: 3)
    tokens = (0..<256).map { _ in Int.random(in: 1..<vocabulary, using: &random) }
  }
}
