import Tensors

/// A layer that was quantized before it was saved: its tensors, found and checked, not yet read.
///
/// Stacks of experts are one layer, whose rows are those of one expert after the other.
protocol StoredLayer: Sendable {
  /// Hugging Face name without `.weight`.
  var name: String { get }
  /// Output channels.
  var rows: Int { get }
  /// Input channels.
  var columns: Int { get }
  /// The type of the weights that ``weights()`` reads: that which the package that made them decodes to.
  var type: ElementType { get }
  /// How the weights are stored.
  var scheme: WeightFormat { get }
  /// The format in which ``weights()`` holds codes; nil where it decodes. May read small tensors, such as scales.
  var heldFormat: WeightFormat? { get }
  /// The tensors that make the layer.
  var parts: LayerParts { get }

  /// Reads the layer: as its codes where Vise holds such, else decoded to ``type``.
  ///
  /// - Throws: ``CheckpointError`` when the stored values contradict each other or the configuration.
  func weights() throws(CheckpointError) -> LayerWeights
}

extension StoredLayer {
  /// As the files name them.
  var tensorNames: [String] { parts.tensorNames }
  /// Bytes of all tensors of the layer.
  var byteCount: Int { parts.byteCount }
}

/// A way to store quantized layers, as a checkpoint's configuration describes it.
protocol QuantizationFormat: Sendable {
  /// Who quantizes so, and with which version if that is known.
  var maker: String { get }

  /// The layer called `name`; nil if it is not quantized.
  ///
  /// - Parameters:
  ///   - name: Its Hugging Face name without `.weight`.
  ///   - isEmbedding: Whether it is looked up rather than multiplied with.
  ///   - shape: Sizes, the last of them the columns, that its tensors must make; nil takes what they make.
  ///   - table: The tensors of the checkpoint.
  /// - Returns: The layer, checked but not yet read.
  /// - Throws: ``CheckpointError`` naming the tensor that is missing or does not fit.
  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)?

  /// The names of all layers that the tensors of a checkpoint make, in their order.
  func layerNames(in table: TensorTable) -> [String]

  /// What Vise leaves out of what the configuration says, and what other readers would read differently.
  func notes(on layers: [LayerName]) -> [String]
}

/// What a configuration can choose a layer by.
struct LayerName: Hashable, Sendable {
  /// Its Hugging Face name without `.weight`.
  let name: String
  /// Whether it is looked up rather than multiplied with.
  let isEmbedding: Bool
}

extension TensorTable {
  /// What comes before `suffix` in the names of tensors that have it and are as `isWanted` says.
  func prefixes(
    of suffix: String, where isWanted: (TensorEntry) -> Bool = { _ in true }
  ) -> [String] {
    entries.filter { $0.name.hasSuffix(suffix) && isWanted($0) }.map {
      String($0.name.dropLast(suffix.count))
    }
  }
}
