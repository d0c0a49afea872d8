import Checkpoints
import Compression
import Tensors

/// A plan as llama.cpp's own quantizer takes it.
public enum LlamaQuantize {
  /// What the file of tensor types is called in an export.
  public static let tensorTypesFile = "tensor-types.txt"

  /// The text of a file for `llama-quantize --tensor-type-file`: on each line, a pattern of one tensor's name and its type.
  ///
  /// They hold for a source in 16 bits, with a quantized type such as `Q8_0` for what no line names. Layers whose
  /// scheme llama.cpp has no type for get the nearest, and those only pruned stay in 16 bits: llama-quantize does not prune.
  /// - Parameters:
  ///   - model: the model to quantize.
  ///   - schemes: of each of its layers, in order.
  /// - Returns: lines that end with a newline.
  public static func tensorTypes(of model: ModelDescription, schemes: [Scheme]) -> String {
    precondition(schemes.count == model.layers.count, "a scheme for each layer")
    return zip(model.layers, schemes).map { layer, scheme in
      let shape = LayerShape(
        name: layer.name, rows: layer.rows, columns: layer.columns, type: layer.type)
      let held = GGUFLimits.flaw(of: scheme, for: shape).map { $0.nearest ?? .keep } ?? scheme
      // Patterns are ECMAScript's, found anywhere in the name.
      let pattern = layer.ggufName.split(separator: ".").joined(separator: "\\.")
      return "^\(pattern)$=\(held.ggufType(for: shape).rawValue.lowercased())\n"
    }.joined()
  }
}
