/// The dimensions of a Llama model, as its configuration gives them.
struct LlamaShape: Hashable, Sendable {
  let hiddenSize: Int
  let intermediateSize: Int
  let blockCount: Int
  let headCount: Int
  let keyValueHeadCount: Int
  let headSize: Int
  let vocabularySize: Int
  let contextLength: Int
  let ropeTheta: Double
  let ropeScaling: RopeScaling?
  let normEpsilon: Double
  let tiesEmbeddings: Bool

  /// Longest context that is believed, in tokens.
  static let contextLimit = 1 << 30
  /// Most blocks that are believed.
  static let blockLimit = 10_000

  static func unsupported(
    architecture: String, _ settings: some Settings
  ) -> CheckpointError {
    settings.error(
      "has the architecture \(architecture), which is not supported",
      hint: "this version opens Llama models (model_type or general.architecture \"llama\")")
  }

  static func unsupported(ropeScaling type: String, _ settings: some Settings) -> CheckpointError {
    settings.error(
      "has RoPE scaling of type \"\(type)\", which is not supported",
      hint: "this version supports \"llama3\" scaling and none at all")
  }

  /// Checks what the dimensions must be to each other.
  func check(_ settings: some Settings) throws(CheckpointError) {
    guard headCount % keyValueHeadCount == 0 else {
      throw settings.error(
        "\(headCount) attention heads cannot share \(keyValueHeadCount) key-value heads evenly")
    }
    guard headSize % 2 == 0 else {
      throw settings.error("the head size \(headSize) is odd, and RoPE rotates pairs")
    }
  }

  /// The head size when no setting gives it.
  static func headSize(
    hiddenSize: Int, headCount: Int, _ settings: some Settings
  ) throws(CheckpointError) -> Int {
    guard hiddenSize % headCount == 0 else {
      throw settings.error(
        "the hidden size \(hiddenSize) is no multiple of the \(headCount) attention heads")
    }
    return hiddenSize / headCount
  }
}
