/// Where the answers of both models part, token by token, as they come.
public struct AnswerComparison: Codable, Hashable, Sendable {
  private var ids: [ModelSide: [Int]] = [:]
  private var ended: Set<ModelSide> = []
  /// Tokens that both answers have a place for.
  public private(set) var compared = 0
  /// Places where both have the same token.
  public private(set) var same = 0
  /// The first place where they differ, from 0; nil as long as they do not.
  public private(set) var parting: Int?
  /// Sum of the KLD over tokens that both chose after the same text, and how many those are.
  private var divergenceSum = 0.0
  private var divergenceCount = 0

  public init() {}

  /// Share of compared tokens that are the same; nil before there are any.
  public var sameRate: Double? { compared > 0 ? Double(same) / Double(compared) : nil }

  /// Mean KLD in nats a token while both sides agreed; nil before there is any.
  public var meanDivergence: Double? {
    divergenceCount > 0 ? divergenceSum / Double(divergenceCount) : nil
  }

  /// The tokens of a side's answer.
  public func tokens(of side: ModelSide) -> [Int] { ids[side] ?? [] }

  /// Takes the next token on; a server's tell nothing.
  public mutating func append(_ token: GeneratedToken) {
    guard let side = ModelSide(rawValue: token.side.rawValue), let id = token.id else { return }
    let place = tokens(of: side).count
    ids[side, default: []].append(id)
    if let divergence = token.divergence, divergence.isFinite {
      divergenceSum += divergence
      divergenceCount += 1
    }
    let other = tokens(of: side.other)
    guard place < other.count else {
      if ended.contains(side.other), parting == nil { parting = place }
      return
    }
    compared += 1
    if other[place] == id {
      same += 1
    } else if parting == nil {
      parting = place
    }
  }

  /// Takes on that an answer is complete: the other one parts from it where it goes on.
  public mutating func end(_ side: AnswerSide, _ reason: StopReason) {
    guard reason == .endOfText, let side = ModelSide(rawValue: side.rawValue) else { return }
    ended.insert(side)
    let length = tokens(of: side).count
    if parting == nil, tokens(of: side.other).count > length { parting = length }
  }
}

extension ModelSide {
  /// The model that this one is compared with.
  fileprivate var other: ModelSide { self == .reference ? .compressed : .reference }
}
