import Checkpoints

/// Cuts text into the words that merges stay inside, as the pre-tokenizer's pattern does.
///
/// The patterns are matched by hand: each alternative below is named by its regular expression.
struct WordSplitter {
  private let scanner: ScalarScanner
  private let kind: TokenizerDefinition.PreTokenizer

  init(_ scanner: ScalarScanner, _ kind: TokenizerDefinition.PreTokenizer) {
    self.scanner = scanner
    self.kind = kind
  }

  /// The end of the word that starts at byte `start` of a text that ends at `end`.
  ///
  /// - Precondition: `start < end`.
  func endOfWord(from start: Int, to end: Int) -> Int {
    switch kind {
    case .gpt2, .smollm: endOfGPT2Word(from: start, to: end)
    case .llama3: endOfLlama3Word(from: start, to: end)
    }
  }

  private func isSpace(at index: Int) -> Bool { scanner.bytes[index] == UInt8(ascii: " ") }

  // MARK: - 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

  /// SmolLM's pre-tokenizer isolates digits first, so that words end before them as before the end.
  private func endOfGPT2Word(from start: Int, to end: Int) -> Int {
    let isolatesDigits = kind == .smollm
    if let end = endOfContraction(from: start, to: end, ignoresCase: false) { return end }
    let first = scanner.scalar(at: start)
    if first.kind == .number && isolatesDigits { return first.end }
    if first.kind != .space {
      return scanner.endOfRun(of: first.kind, from: first.end, to: end)
    }
    if isSpace(at: start), first.end < end {
      let second = scanner.scalar(at: first.end)
      if second.kind != .space && !(second.kind == .number && isolatesDigits) {
        return scanner.endOfRun(of: second.kind, from: second.end, to: end)
      }
    }
    let run = scanner.spaces(from: start, to: end)
    let endsText =
      run.end == end || (isolatesDigits && scanner.scalar(at: run.end).kind == .number)
    return endsText || run.last == start ? run.end : run.last
  }

  // MARK: - (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
  // MARK: | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+

  private func endOfLlama3Word(from start: Int, to end: Int) -> Int {
    if let end = endOfContraction(from: start, to: end, ignoresCase: true) { return end }
    let first = scanner.scalar(at: start)
    switch first.kind {
    case .letter: return scanner.endOfRun(of: .letter, from: first.end, to: end)
    case .number: return endOfDigits(from: first.end, to: end)
    case .other, .space: break
    }
    if first.end < end && !scanner.isNewline(at: start) {
      let second = scanner.scalar(at: first.end)
      if second.kind == .letter {
        return scanner.endOfRun(of: .letter, from: second.end, to: end)
      }
      if isSpace(at: start) && second.kind == .other {
        return endOfPunctuation(from: second.end, to: end)
      }
    }
    if first.kind == .other { return endOfPunctuation(from: first.end, to: end) }
    let run = scanner.spaces(from: start, to: end)
    if let newline = run.newline { return newline }
    return run.end == end || run.last == start ? run.end : run.last
  }

  /// The end of up to two digits more.
  private func endOfDigits(from index: Int, to end: Int) -> Int {
    var place = index
    for _ in 0..<2 where place < end {
      let next = scanner.scalar(at: place)
      guard next.kind == .number else { break }
      place = next.end
    }
    return place
  }

  private func endOfPunctuation(from index: Int, to end: Int) -> Int {
    var place = scanner.endOfRun(of: .other, from: index, to: end)
    while place < end && scanner.isNewline(at: place) { place += 1 }
    return place
  }

  /// The end of an English contraction at `start`, such as `'ll`; nil if there is none.
  private func endOfContraction(from start: Int, to end: Int, ignoresCase: Bool) -> Int? {
    let bytes = scanner.bytes
    guard bytes[start] == UInt8(ascii: "'"), start + 1 < end else { return nil }
    // The long s is an s to patterns that ignore case.
    if ignoresCase, bytes[start + 1..<end].starts(with: "\u{17f}".utf8) { return start + 3 }
    let toLower: UInt8 = ignoresCase ? 0x20 : 0
    switch bytes[start + 1] | toLower {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return start + 2 < end && bytes[start + 2] | toLower == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"):
      return start + 2 < end && bytes[start + 2] | toLower == UInt8(ascii: "l") ? start + 3 : nil
    default: return nil
    }
  }
}
