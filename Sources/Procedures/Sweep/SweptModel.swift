import Compression
import Inference
import Work

/// A model that is compressed while a ``BlockSweep`` goes through its blocks: what it is to become may change meanwhile.
public protocol SweptModel: AnyObject {
  /// What a layer is to become now.
  func scheme(of number: Int) -> Scheme

  /// Layers that are still to be compressed in the sweep, by their place in the model, ascending.
  var unsweptLayers: [Int] { get }

  /// Gives a decoder what the model runs with for a layer, if that is what its scheme says.
  ///
  /// - Parameters:
  ///   - number: the layer.
  ///   - original: what stands where nothing of the compressed model does.
  ///   - decoder: takes the layer, and the norm before it.
  /// - Throws: ``WorkFailure`` when they do not fit the decoder.
  func put(
    _ number: Int, from original: Decoder, into decoder: inout Decoder
  ) throws(WorkFailure)

  /// Takes what a layer has become; it is still what it is to become.
  func accept(_ result: LayerResult, of number: Int)
}
