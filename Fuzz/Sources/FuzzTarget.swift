/// The readers of what comes from outside, by name: each takes any bytes and must neither crash nor hang.
enum FuzzTarget {
  static let all: [String: @Sendable ([UInt8]) -> Void] = [
    "safetensors": safetensors, "index": index, "gguf": gguf, "config": config,
    "tokenizer": tokenizer, "template": template, "pattern": pattern, "names": names, "plan": plan,
    "theme": theme, "keys": keys, "machine": machine, "imatrix": imatrix,
    "sensitivity": sensitivity, "snapshots": snapshots, "input": input, "events": events,
  ]

  /// What must hold whatever the input is.
  static func require(_ holds: Bool, _ what: String) {
    guard holds else { fatalError(what) }
  }
}
