import Tensors
import TestSupport

@testable import Checkpoints

/// Directories of one safetensors file and a config.json, tensor by tensor.
struct SafetensorsBuilder {
  /// Members of config.json.
  var config: String
  private(set) var tensors: [(name: String, shape: [Int], values: [Float])] = []

  init(config: String) { self.config = config }

  /// Adds a tensor of F32 whose values count from 0, or from where it is said.
  mutating func add(_ name: String, _ shape: [Int], from first: Float = 0) {
    let values = (0..<shape.reduce(1, *)).map { first + Float($0) }
    tensors.append((name, shape, values))
  }

  /// Opens it, and calls `body` while it is there.
  func open<R>(_ body: (Checkpoint) throws -> R) throws -> R {
    try TestFiles.withDirectory { directory in
      let layout = SafetensorsLayout(
        metadata: [:],
        tensors: tensors.map { .init(name: $0.name, type: .float32, shape: $0.shape) })
      var bytes = layout.header
      for place in layout.places {
        let tensor = tensors.first { $0.name == place.tensor.name }
        bytes += (tensor?.values ?? []).flatMap { little($0.bitPattern) }
      }
      try TestFiles.write(bytes, to: "\(directory)/model.safetensors")
      try TestFiles.write(Array("{\(config)}".utf8), to: "\(directory)/config.json")
      return try body(Checkpoint.open(directory))
    }
  }
}
