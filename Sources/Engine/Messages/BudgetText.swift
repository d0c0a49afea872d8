import Compression

extension BudgetTarget {
  /// What a text such as `90MB`, `3000000`, `1.5 GiB`, `4.5bpw`, `4.5 bits a weight` or `kld=0.05` asks for; nil for anything else.
  ///
  /// What Vise prints of a budget is read back.
  public init?(_ text: some StringProtocol) {
    let word = text.lowercased().filter { !$0.isWhitespace }
    for prefix in ["kld=", "kld<=", "kld"] where word.hasPrefix(prefix) {
      guard let number = SizeText.number(word.dropFirst(prefix.count)) else { continue }
      self = .divergence(number)
      return
    }
    for suffix in ["bpw", "bitsaweight", "bitsperweight", "bits/weight", "bits"]
    where word.hasSuffix(suffix) {
      guard let number = SizeText.number(word.dropLast(suffix.count)) else { return nil }
      self = .bitsPerWeight(number)
      return
    }
    guard let bytes = SizeText.bytes(word) else { return nil }
    self = .bytes(bytes)
  }
}
