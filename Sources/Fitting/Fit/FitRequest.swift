import Compression
import Tensors

/// What is to be served: how long sequences, how many at once, and with which keys and values.
public struct FitRequest: Codable, Hashable, Sendable {
  /// Tokens of a sequence, the prompt and the answer.
  public var context: Int
  /// Sequences at once.
  public var batch: Int
  public var cache: CacheType

  public init(context: Int = 8192, batch: Int = 1, cache: CacheType = .f16) {
    self.context = context
    self.batch = batch
    self.cache = cache
  }

  /// Most tokens, and most sequences, that are believed.
  public static let (contextLimit, batchLimit) = (1 << 26, 4096)
}

/// Tokens as people write them.
public enum TokenCount {
  /// The tokens of `32k`, which are 32 times 1024, of `1M`, 1024 of those, or of `5000`; nil for anything else.
  public static func tokens(_ text: some StringProtocol) -> Int? {
    let word = text.lowercased().filter { !$0.isWhitespace && $0 != "_" }
    let factor = word.hasSuffix("k") ? 1024 : word.hasSuffix("m") ? 1 << 20 : 1
    guard let number = SizeText.number(factor > 1 ? word.dropLast() : word[...]) else { return nil }
    let tokens = number * Double(factor)
    guard tokens == tokens.rounded(), tokens <= Double(FitRequest.contextLimit) else { return nil }
    return Int(tokens)
  }

  /// `32k` for multiples of 1024, else all digits.
  public static func text(_ tokens: Int) -> String {
    tokens >= 1024 && tokens % 1024 == 0 ? "\(tokens / 1024)k" : "\(tokens)"
  }
}

/// A budget of memory for all that serving takes: `24 GB with 32k of context`.
public struct FitBudget: Hashable, Sendable {
  public var memory: Int
  public var request: FitRequest

  public init(memory: Int, request: FitRequest) {
    self.memory = memory
    self.request = request
  }

  /// Reads a size, `with` and a context, and if said a batch and what keys and values are kept as:
  /// `24 GiB with 32k of context, batch 4, int8`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.lowercased().split(separator: " with ", maxSplits: 1)
    guard parts.count == 2, let memory = SizeText.bytes(parts[0]) else { return nil }
    self.memory = memory
    request = FitRequest()
    var words = parts[1].split { $0 == " " || $0 == "," }.map(String.init)
    guard let first = words.first, let context = TokenCount.tokens(first) else { return nil }
    request.context = context
    words.removeFirst()
    if words.first == "of" { words.removeFirst() }
    if words.first == "context" || words.first == "tokens" { words.removeFirst() }
    while let word = words.first {
      words.removeFirst()
      if let cache = CacheType(rawValue: word) {
        request.cache = cache
      } else if word == "batch", let number = words.first.flatMap({ Int($0) }),
        (1...FitRequest.batchLimit).contains(number)
      {
        request.batch = number
        words.removeFirst()
      } else {
        return nil
      }
    }
  }
}
