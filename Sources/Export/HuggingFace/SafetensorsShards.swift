import Checkpoints
import Tensors
import JSON

/// Parts a model's tensors into safetensors files, as transformers names and indexes them.
enum SafetensorsShards {
  /// Parts a model.
  ///
  /// - Parameters:
  ///   - tensors: what is in one element stays in one file.
  ///   - shardBytes: most bytes of tensors in one file, unless one element has more.
  /// - Returns: its files, and their index if there are several.
  static func files(of tensors: [[SafetensorsLayout.Tensor]], shardBytes: Int) -> [FileLayout] {
    var shards: [[SafetensorsLayout.Tensor]] = []
    var bytes = 0
    for group in tensors {
      let size = group.reduce(0) { $0 + $1.byteCount }
      if shards.isEmpty || bytes + size > shardBytes {
        shards.append([])
        bytes = 0
      }
      shards[shards.count - 1] += group
      bytes += size
    }
    guard shards.count > 1 else {
      return shards.map { file("model.safetensors", $0) }
    }
    let names = shards.indices.map {
      "model-\(digits($0 + 1))-of-\(digits(shards.count)).safetensors"
    }
    let files = zip(names, shards).map(file)
    return files + [index(of: files)]
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }

  private static func file(_ name: String, _ tensors: [SafetensorsLayout.Tensor]) -> FileLayout {
    // Readers ask for what wrote the file; "pt" says that shapes are PyTorch's.
    let layout = SafetensorsLayout(metadata: ["format": "pt"], tensors: tensors)
    return FileLayout(
      name: name, header: layout.header,
      tensors: layout.places.map {
        TensorSlot(
          name: $0.tensor.name, type: $0.tensor.typeName, shape: $0.tensor.shape,
          offset: $0.offset, byteCount: $0.tensor.byteCount)
      },
      byteCount: layout.byteCount)
  }

  private static func index(of files: [FileLayout]) -> FileLayout {
    let places = files.flatMap { file in
      file.tensors.map { JSONObject.Member(name: $0.name, value: .string(file.name)) }
    }
    let bytes = files.reduce(0) { $0 + $1.tensors.reduce(0) { $0 + $1.byteCount } }
    let index: JSONValue = [
      "metadata": ["total_size": .integer(bytes)],
      "weight_map": .object(JSONObject(members: places.sorted { $0.name < $1.name })),
    ]
    return FileLayout(
      name: "model.safetensors.index.json", contents: JSONWriter.bytes(of: index, indent: 2))
  }
}
