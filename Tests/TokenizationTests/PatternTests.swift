import TestSupport
import Testing

@testable import Checkpoints
@testable import Tokenization

/// Regular expressions: what is not read is named, and no text takes long.
struct PatternTests {
  @Test(arguments: [
    ("(a", "lacks a )"), ("a)", "a ) too many"), ("[a", "lacks a ]"), ("*a", "repeats nothing"),
    ("(a*)*", "repeats what may be empty"), (#"\p{Klingon}"#, #"\p{Klingon}"#),
    (#"(a)\1"#, #"has \1"#), ("(?<=ab)c", "looks back for more"), ("(?<name>a)", "a group (?<"),
    ("[b-a]", "ends before it begins"), ("a{2000}", "more than 1000 times"),
    ("(?:(?:a{100}){100}){100}", "more than 4096 steps"), ("[[:alpha:]]", "[: :]"),
    ("a\\", "ends early"),
    (String(repeating: "(", count: 100) + "a", "nested too deep"),
  ])
  func whatIsNotReadIsNamed(pattern: String, reason: String) {
    let error = #expect(throws: PatternError.self) { try Pattern(pattern) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    let definition = TokenizerDefinition(
      source: "t.json", tokens: ["a"], preTokenizer: PreTokenizer([.split(pattern)]))
    let refusal = #expect(throws: TokenizerError.self) { try Tokenizer(definition) }
    #expect(refusal?.description.hasPrefix("t.json: cuts words by a pattern that ") == true)
    #expect(refusal?.description.contains(pattern.prefix(100)) == true)
  }

  /// Each takes a naive matcher time that grows with the square of the text's length, or faster.
  @Test(arguments: [
    (#"(?:a|ab|b)*c"#, "ab"), (#"\s+$"#, " "), (#"(?:a+)+b"#, "a"), (#"(?:a|a)+b"#, "a"),
    (#"\p{L}*\p{N}"#, "x"), (#"(?:\p{L}+ ?)+!"#, "ab "), (#"[^b]*?b"#, "a"),
    (#"(?=(\d{3})+(?!\d))"#, "1"), (#"(?>a+)b"#, "a"), (#"a++b|\s+(?!\S)"#, "a"),
  ])
  func hostileTextsTakeNoLongerThanTheirLength(pattern: String, part: String) throws {
    let pattern = try Pattern(pattern)
    // No letter at the end that would let the pattern match.
    let text = TextScanner(Array((String(repeating: part, count: 100_000) + "x").utf8))
    var matcher = PatternMatcher(pattern, in: text, text.bytes.indices)
    var (start, matches) = (0, 0)
    while let match = matcher.firstMatch(from: start), match.lowerBound < text.bytes.count {
      matches += 1
      start = max(match.upperBound, match.lowerBound + 1)
    }
    #expect(matcher.stepsTaken < 400 * text.bytes.count)
    #expect(matches <= text.bytes.count)
  }

  /// Lookaheads and atomic groups in one another, and repetitions in them, multiply in a naive matcher.
  @Test(arguments: [
    "(?=.*(?=.*(?=.*(?=.*(?=.*!)))))a", "(?!.*(?!.*(?!.*(?!.*!))))a", "(?>(?:a+)+b)",
    "(?=(?:a+)+b)a", "(?>(?>(?:a|aa)+)b)c", "(?=(?>(?:a+)+b))a",
  ])
  func nestedLooksTakeNoLongerThanTheirLength(pattern: String) throws {
    let pattern = try Pattern(pattern)
    func steps(_ count: Int) -> Int {
      let text = TextScanner(Array(repeating: UInt8(ascii: "a"), count: count))
      var matcher = PatternMatcher(pattern, in: text, text.bytes.indices)
      #expect(matcher.firstMatch(from: 0) == nil || pattern.steps.contains { $0.isNegativeLook })
      return matcher.stepsTaken
    }
    #expect(steps(8000) < 3 * steps(4000))
    #expect(steps(4000) < 4000 * 40_000)
  }

  @Test func patternsThatLookTooFarAreRefused() {
    let group = "(?>" + String(repeating: "a?", count: 40) + ")"
    let error = #expect(throws: PatternError.self) { try Pattern(group) }
    #expect(error?.reason == "looks too far ahead at every place")
    let long = #expect(throws: PatternError.self) {
      try Pattern(String(repeating: "a", count: 20_000))
    }
    #expect(long?.reason == "is longer than 16384 characters")
  }

  /// What is remembered of ways that were tried does not hide a match.
  @Test func rememberingChangesNoMatch() throws {
    var random = SeededRandom(seed: 31)
    for source in [
      #"(?:ab|a)*b?c|\s+(?!\S)|\s+|b+"#, #"(?:a|ab)(?:c|bcd)(?:d*)"#, #"a*?b|[^a]+$"#,
      "(?=(?:a|ab)*c)a|b", "(?>(?:a|ab)+)c|.", "a(?!(?:b|bc)*d)|(?=b(?!c))b|[cd]+",
    ] {
      let pattern = try Pattern(source)
      for _ in 0..<200 {
        let letters = (0..<Int.random(in: 0...40, using: &random)).map { _ in
          ["a", "b", "c", "d", " ", "\n"].randomElement(using: &random) ?? ""
        }
        let text = TextScanner(Array(letters.joined().utf8))
        #expect(matches(pattern, text, usualSteps: 64) == matches(pattern, text, usualSteps: 0))
      }
    }
  }

  private func matches(
    _ pattern: Pattern, _ text: TextScanner, usualSteps: Int
  ) -> [Range<Int>] {
    var matcher = PatternMatcher(pattern, in: text, text.bytes.indices, usualSteps: usualSteps)
    var (start, found): (Int, [Range<Int>]) = (0, [])
    while let match = matcher.firstMatch(from: start), start <= text.bytes.count {
      found.append(match)
      start = match.isEmpty ? match.upperBound + 1 : match.upperBound
    }
    return found
  }
}

extension Pattern.Step {
  fileprivate var isNegativeLook: Bool {
    if case .look(let isNegative, _) = self { isNegative } else { false }
  }
}
