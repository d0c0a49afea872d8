import FoundationEssentials
import Tensors

@testable import Checkpoints

/// A Hugging Face directory of an architecture that a test makes up, gone with this object.
public final class TensorFolder {
  private let folder: TemporaryFolder
  public var path: String { folder.path }

  /// Writes BF16 tensors, each element counting on from 0 to 250 and again from 0.
  ///
  /// - Parameters:
  ///   - config: the text of config.json.
  ///   - tensors: their names and shapes.
  /// - Throws: when the files cannot be written.
  public init(config: String, tensors: [String: [Int]]) throws {
    folder = try TemporaryFolder()
    let layout = SafetensorsLayout(
      metadata: [:],
      tensors: tensors.map { SafetensorsLayout.Tensor(name: $0, type: .bfloat16, shape: $1) })
    var bytes = layout.header
    for place in layout.places {
      let values = (0..<place.tensor.byteCount / 2).map { Float($0 % 251) }
      bytes += ElementType.bfloat16.rounded(values).flatMap {
        [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
      }
    }
    try Data(bytes).write(to: URL(filePath: "\(path)/model.safetensors"))
    try Data(config.utf8).write(to: URL(filePath: "\(path)/config.json"))
  }
}
