import Checkpoints
import Compression
import Inference
import Tensors

/// What a compressed-tensors directory's weights come from beside the plan.
struct CompressedTensorsOutline: Codable, Hashable, Sendable {
  private struct Norm: Codable, Hashable, Sendable {
    let name: String
    let type: ElementType
  }

  let target: ExportTarget
  private let shapes: [LayerShape]
  /// What kept layers are under: a scheme where their codes stay codes, else that they are kept.
  private let kept: [Scheme]
  private let norms: [Norm]
  private let hiddenSize: Int
  private let tiesEmbeddings: Bool
  private let shardBytes: Int

  /// - Throws: ``ExportError`` when the checkpoint lacks a norm.
  init(
    of checkpoint: Checkpoint, for target: ExportTarget, shardBytes: Int
  ) throws(ExportError) {
    let description = checkpoint.description
    self.target = target
    self.shardBytes = shardBytes
    shapes = description.layerShapes
    hiddenSize = description.hiddenSize
    tiesEmbeddings = description.tiesEmbeddings
    kept = shapes.map { shape in
      Scheme(keeping: checkpoint.heldCodes(of: shape.name), of: shape, for: target)
    }
    var norms: [Norm] = []
    do throws(CheckpointError) {
      for (tensor, _) in description.tensors(in: .huggingFace) where tensor.role == nil {
        norms.append(
          Norm(name: tensor.name, type: try checkpoint.matrix(of: tensor.name).type))
      }
    } catch {
      throw ExportError(error)
    }
    self.norms = norms
  }

  /// The type that each norm is stored in, by its Hugging Face name.
  var normTypes: [String: ElementType] {
    Dictionary(norms.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
  }

  func refusals(of schemes: [Scheme]) -> [ExportRefusal] {
    TargetLimits.of(target).refusals(of: resolved(schemes), for: shapes)
  }

  /// How every layer is stored.
  func encodings(of schemes: [Scheme]) -> [LayerEncoding] {
    zip(resolved(schemes), shapes).map { scheme, shape in
      LayerEncoding(shape: shape, format: WeightFormat(scheme, for: shape, target: target))
    }
  }

  /// The tensors of layers, and of all norms; those of an element stay in one file.
  func tensors(of encodings: [LayerEncoding]) -> [[SafetensorsLayout.Tensor]] {
    let normTensors = norms.map { norm in
      SafetensorsLayout.Tensor(name: "\(norm.name).weight", type: norm.type, shape: [hiddenSize])
    }
    return encodings.map(\.tensors) + [normTensors]
  }

  /// What config.json says of layers; nil when none is quantized.
  func quantization(of encodings: [LayerEncoding]) -> JSONValue? {
    QuantizationConfig(encodings, tiesEmbeddings: tiesEmbeddings)?.json
  }

  /// Bytes of some layers, and of what the files hold beside layers and beside what no plan changes.
  func sizes(
    of places: [Int], _ schemes: [Scheme], originalBytes: [Int]
  ) -> (layers: [Int: LayerSize], overhead: Int) {
    let resolved = resolved(schemes)
    let all = encodings(of: schemes)
    let encodings = places.map { all[$0] }
    var layers: [Int: LayerSize] = [:]
    for (place, encoding) in zip(places, encodings) {
      layers[place] = LayerSize(
        of: shapes[place], scheme: resolved[place], original: originalBytes[place],
        written: encoding.tensors.reduce(0) { $0 + $1.byteCount })
    }
    let files = SafetensorsShards.files(of: tensors(of: encodings), shardBytes: shardBytes)
    let weights = layers.values.reduce(0) { $0 + $1.total }
    let config = JSONObject.bytesAdded(by: quantization(of: encodings))
    return (layers, files.reduce(config) { $0 + $1.byteCount } - weights)
  }

  /// The schemes with those in place that kept layers are under already.
  private func resolved(_ schemes: [Scheme]) -> [Scheme] {
    zip(schemes, kept).map { $0.keepsLayer ? $1 : $0 }
  }
}

extension Scheme {
  /// What a layer that is kept has been under already: its codes stay, if it has any.
  ///
  /// Floats that the target cannot hold become weights of 16 bits.
  fileprivate init(keeping codes: HeldCodes?, of shape: LayerShape, for target: ExportTarget) {
    guard let codes else {
      self = .keep
      return
    }
    self.init(codes, inRowsOf: shape.columns)
    if case .floats = codes,
      CompressedTensorsLimits.flaw(of: self, for: shape, target: target) != nil
    {
      self = .keep
    }
  }

  /// The scheme that codes are under; who chose them nobody can know.
  init(_ codes: HeldCodes, inRowsOf columns: Int) {
    switch codes {
    case .integers(let bits, let groupSize, let isSymmetric):
      self.init(
        quantization: QuantizationScheme(
          bits: bits, group: groupSize == columns ? .channel : .size(groupSize),
          isSymmetric: isSymmetric))
    case .floats(let format): self.init(quantization: QuantizationScheme(float: format))
    }
  }
}
