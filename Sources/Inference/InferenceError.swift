import Checkpoints
import Compression

/// Why a model cannot run, or not on this input.
public enum InferenceError: Error, Hashable, Sendable {
  /// The checkpoint could not be read; the reason names file and tensor.
  case checkpoint(CheckpointError)
  /// The model does not run; the reason says why.
  case doesNotRun(reason: String)
  /// The model's sizes contradict each other.
  case invalidShape(reason: String)
  /// The model cannot be pruned to this structure; the reason says why.
  case invalidStructure(PlanError)
  /// The model has no such layer or norm, or it was not given.
  case missing(name: String)
  /// Weights were given for a layer of another shape; shapes are rows x columns.
  case wrongShape(layer: String, expected: [Int], found: [Int])
  /// A token id outside the vocabulary.
  case unknownToken(id: Int, vocabularySize: Int)
  /// More tokens than the model's context holds.
  case contextExceeded(tokens: Int, limit: Int)
  /// A cache that was made for a model of another shape.
  case foreignCache
  /// What the model computes are no numbers; the place says after how many tokens, and of which model.
  case notFinite(place: String)
  /// Nothing to compute on: no token, or a text shorter than one scored token.
  case emptyInput
  /// Nobody wants the result any more.
  case cancelled
}

extension InferenceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .checkpoint(let error): "\(error)"
    case .doesNotRun(let reason): "this model does not run: \(reason)"
    case .invalidShape(let reason): "the model's shape is invalid: \(reason)"
    case .invalidStructure(let error): "\(error)"
    case .missing(let name): "the model has no \(name)"
    case .wrongShape(let layer, let expected, let found):
      "\(layer) has the shape \(expected), but was given weights of the shape \(found)"
    case .unknownToken(let id, let size):
      "token \(id) is outside the vocabulary of \(size) tokens"
    case .contextExceeded(let tokens, let limit):
      "\(tokens) tokens exceed the model's context of \(limit)"
    case .foreignCache: "the cache belongs to a model of another shape"
    case .notFinite(let place):
      "the model's output is no number (NaN or infinity) \(place): its weights are damaged, or its states overflow; "
        + "`vise inspect --check` names damaged tensors"
    case .emptyInput: "there is no token to compute on"
    case .cancelled: "the work was cancelled"
    }
  }
}
