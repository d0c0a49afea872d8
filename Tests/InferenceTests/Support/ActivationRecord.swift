import Checkpoints
import Foundation
import Inference

/// What Tests/Oracles/record_activations.py recorded of a model.
struct ActivationRecord: Decodable {
  /// What the layers at one site read.
  struct Statistics: Decodable {
    let site: InputSite
    let means: [Float]
    let secondMoments: [Float]
    /// Of even windows: the first and the third.
    let evenSecondMoments: [Float]
    /// Channels of which all pairs were recorded.
    let channels: [Int]
    /// channels x channels second moments.
    let pairs: [Float]

    private enum CodingKeys: CodingKey {
      case site, block, means, secondMoments, evenSecondMoments, channels, pairs
    }

    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let block = try container.decodeIfPresent(Int.self, forKey: .block) ?? 0
      site =
        switch try container.decode(String.self, forKey: .site) {
        case "attention": .attention(block: block)
        case "attentionOutput": .attentionOutput(block: block)
        case "mlp": .feedForward(block: block)
        case "mlpOutput": .feedForwardOutput(block: block)
        default: .head
        }
      means = try container.decode(Data.self, forKey: .means).floats
      secondMoments = try container.decode(Data.self, forKey: .secondMoments).floats
      evenSecondMoments = try container.decode(Data.self, forKey: .evenSecondMoments).floats
      channels = try container.decode([Int].self, forKey: .channels)
      pairs = try container.decode(Data.self, forKey: .pairs).floats
    }
  }

  let ids: [Int]
  /// Tokens of a window.
  let window: Int
  let plain: [Statistics]
  /// With the blocks before rounded.
  let changed: [Statistics]

  static func load() throws -> ActivationRecord {
    let data = try Data(contentsOf: Fixture.url("activations.json"))
    return try JSONDecoder().decode(ActivationRecord.self, from: data)
  }
}
