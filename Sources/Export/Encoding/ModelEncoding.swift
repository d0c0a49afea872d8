import Checkpoints
import Compression

/// A model under a plan, ready for a format: all of it but the compressed layers themselves.
public struct ExportModel: Sendable {
  /// Already without what the plan's structure removes.
  public let checkpoint: Checkpoint
  /// The scheme of every layer in the order of the checkpoint's layers.
  public let schemes: [Scheme]

  /// - Precondition: as many schemes as the checkpoint has layers.
  public init(checkpoint: Checkpoint, schemes: [Scheme]) {
    precondition(schemes.count == checkpoint.description.layers.count, "a scheme for each layer")
    self.checkpoint = checkpoint
    self.schemes = schemes
  }
}

/// A tensor's elements as a file holds them.
public struct EncodedTensor: Hashable, Sendable {
  /// The name of its ``TensorSlot``.
  public let name: String
  public let bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

/// What a format makes of a model: which files hold which tensors, and the bytes of each.
///
/// Layers may be encoded in any order, one at a time, so that memory is bounded by the largest.
public protocol ModelEncoding: Sendable {
  /// All files to the byte, but for the elements of tensors.
  var layout: ExportLayout { get }

  /// What readers of the format may take otherwise than the model means it, found in its files: a sentence each.
  var notes: [String] { get }

  /// The tensors that hold a layer: every slot that belongs to it, and no other.
  ///
  /// Kept layers come with the checkpoint's own weights.
  /// - Throws: ``ExportError`` when the storage is not what the layout was made for.
  func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor]

  /// The layer's tensors made straight from its weights, part by part: the bytes that ``tensors(of:)`` gives of it once it is
  /// compressed. Nil where the format has no way to do so.
  func rounded(_ rounding: RowRounding) -> RoundedLayer?

  /// The names of what ``tensors(of:)`` gives for a layer; none for a layer that the model does not have.
  func tensorNames(ofLayer name: String) -> [String]

  /// The slots that belong to no layer: norms, biases, routers, and what the model does not compute with.
  var otherNames: [String] { get }

  /// The tensor in a slot that belongs to no layer.
  ///
  /// - Parameters:
  ///   - name: one of ``otherNames``.
  ///   - norms: norms that took scales of layers back, by their names in the model, as they multiply.
  /// - Returns: the elements of the slot.
  /// - Throws: ``ExportError`` when it cannot be read.
  func other(_ name: String, norms: [String: [Float]]) throws(ExportError) -> EncodedTensor
}
