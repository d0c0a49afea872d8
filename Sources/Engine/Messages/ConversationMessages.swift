/// An earlier turn of a conversation, which a later prompt goes on from.
public struct ChatTurn: Codable, Hashable, Sendable {
  public var prompt: String
  /// What each side answered: each goes on from its own answer, and from none where it gave none.
  public var answers: [AnswerSide: String]

  public init(prompt: String, answers: [AnswerSide: String]) {
    self.prompt = prompt
    self.answers = answers
  }
}

/// An answer that both models read again, token by token.
public struct ReadingRequest: Codable, Hashable, Sendable {
  /// The prompt, with the turns before it, and what both models compute with.
  public var conversation: GenerationRequest
  /// Whose turns come before the prompt.
  public var side: AnswerSide
  /// The answer's tokens; with none, what is read is the prompt, of which only the end is compared.
  public var answer: [Int]

  public init(conversation: GenerationRequest, side: AnswerSide, answer: [Int]) {
    self.conversation = conversation
    self.side = side
    self.answer = answer
  }
}

/// A token that a model might have chosen.
public struct TokenAlternative: Codable, Hashable, Sendable {
  public var id: Int
  public var text: String
  /// At temperature 1, among all tokens: 0...1.
  public var probability: Double

  public init(id: Int, text: String, probability: Double) {
    (self.id, self.text, self.probability) = (id, text, probability)
  }
}

/// What both models expect at one token of an answer, after the same tokens.
public struct TokenReading: Codable, Hashable, Sendable {
  /// What one model expects.
  public struct Expectation: Codable, Hashable, Sendable {
    /// Of the answer's token, at temperature 1: 0...1.
    public var probability: Double
    /// The answer's token among all by probability, from 1.
    public var rank: Int
    /// The most probable tokens, the first before all.
    public var alternatives: [TokenAlternative]

    public init(probability: Double, rank: Int, alternatives: [TokenAlternative]) {
      (self.probability, self.rank, self.alternatives) = (probability, rank, alternatives)
    }
  }

  /// Place in the answer, from 0.
  public var index: Int
  public var id: Int
  /// The token as it is spelled, also where it is only a part of a character.
  public var text: String
  public var reference: Expectation
  public var compressed: Expectation
  /// KLD of the compressed model's distribution from the reference's, in nats.
  public var divergence: Double

  /// Whether both models find the same token the most probable.
  public var agrees: Bool {
    reference.alternatives.first?.id == compressed.alternatives.first?.id
  }

  public init(
    index: Int, id: Int, text: String, reference: Expectation, compressed: Expectation,
    divergence: Double
  ) {
    (self.index, self.id, self.text) = (index, id, text)
    (self.reference, self.compressed, self.divergence) = (reference, compressed, divergence)
  }
}

/// What the compressed model's blocks, up to one of them, do to the answer when the original's blocks go on from there.
public struct BlockParting: Codable, Hashable, Sendable {
  /// How far the compressed model goes.
  public enum Place: Codable, Hashable, Sendable {
    /// Only its embedding.
    case embedding
    case block(Int)
    /// All of it, with its own final norm and head.
    case head
  }

  public var place: Place
  /// Relative error of what the place passes on, in the compressed model as it runs; nil for the head.
  public var relativeError: Double?
  /// The same if the place had read what it reads in the original: what it adds itself; nil outside blocks.
  public var ownError: Double?
  /// Mean KLD over the answer's tokens, in nats, if the original goes on from here.
  public var divergence: Double
  /// The first token of the answer, from 0, at which another one becomes the most probable; nil if none does.
  public var parting: Int?

  public init(
    place: Place, relativeError: Double?, ownError: Double?, divergence: Double, parting: Int?
  ) {
    (self.place, self.relativeError, self.ownError) = (place, relativeError, ownError)
    (self.divergence, self.parting) = (divergence, parting)
  }
}
