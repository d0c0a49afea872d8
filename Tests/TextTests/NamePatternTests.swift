import Testing

@testable import Text

struct NamePatternTests {
  @Test(arguments: [
    (#".*\.(q|k|v)_proj$"#, "a.k_proj", true), (#".*\.(q|k|v)_proj$"#, "a.o_proj", false),
    ("model", "model.layers", true), ("odel", "model.layers", false), ("a$", "ab", false),
    (#"layers\.(?:[0-9]|1[0-3])\.mlp"#, "layers.12.mlp.up", true),
    (#"layers\.(?:[0-9]|1[0-3])\.mlp"#, "layers.14.mlp.up", false),
    (#"^(?!.*lm_head).*$"#, "model.lm_head", false), (#"^(?!.*lm_head).*$"#, "model.up", true),
    (#".*(?=proj)p"#, "a.proj", true), ("[^a-c]x", "dx", true), ("[^a-c]x", "bx", false),
    ("[]a-]+$", "]a-", true), (#"\d{2,3}x"#, "12x", true), (#"\d{2,3}x"#, "1x", false),
    (#"\d{2}x"#, "123x", false), ("(ab)*c", "ababc", true), ("a+?b", "aab", true),
    ("a|", "b", true), (#"\w+\.\S\s"#, "ab.c ", true), ("", "anything", true),
    ("a{0,}b", "aaab", true), ("a{,2}b", "aaab", false), ("a{b", "a{b", true),
    (#".*\bq"#, "a.q", true), (#".*\bq"#, "aq", false), (#"a\Bq"#, "aq", true),
    ("(?i)MLP", "mlp", true), ("(?i)[a-c]x", "Bx", true), ("(?P<n>a)b", "ab", true),
    (#"\w"#, "é", true), ("(?!(?!a))b", "b", false), ("(?=(?=.*x).*y)a", "axy", true),
    ("(?=(?=.*x).*z)a", "axy", false), (#"[\d.]+$"#, "1.2", true), (#"[\w-]+$"#, "a-b", true),
  ])
  func matchesAsPythonDoes(pattern: String, name: String, expected: Bool) throws {
    #expect(try NamePattern(pattern).matches(name, .start) == expected)
  }

  @Test(arguments: [("a|ab", "ab"), ("(a|ab)(c|bcd)", "abcd"), ("a*?", "aaa"), ("a(?=b)b", "ab")])
  func wholeMatchesTakeAnyWay(pattern: String, name: String) throws {
    #expect(try NamePattern(pattern).matches(name, .whole))
    #expect(try !NamePattern(pattern).matches(name + "!", .whole))
  }

  @Test(arguments: [
    ("(", "lacks a )"), (")", "has a ) too many"), ("a)", "has a ) too many"),
    ("[a", "lacks a ]"), ("*a", "repeats nothing"), ("a**b", "repeats a repetition"),
    (#"(a)\1"#, "has a back reference, which is not read"),
    ("(?<=a)b", "has a lookbehind, which is not read"),
    ("a{2,1}", "repeats at least 2 and at most 1 times"), ("a{101}", "repeats more than 100 times"),
    ("[b-a]", "has a range that ends before it begins"), (#"a\"#, "ends early"),
    ("a++", "has a possessive repetition, which is not read"),
    (#"\p{L}"#, "has \\p, which is not read"), ("(?>a)", "has a group (?>, which is not read"),
    (
      String(repeating: "(", count: 40) + String(repeating: ")", count: 40),
      "has more than 32 groups in one another"
    ),
    ("((((a{100}){100}){100}){100})", "comes to more than 4096 steps"),
    (String(repeating: "a", count: 1025), "is longer than 1024 characters"),
  ])
  func saysWhatIsNotRead(pattern: String, reason: String) {
    #expect(throws: NamePatternError(reason: reason)) { try NamePattern(pattern) }
  }

  /// Matchers that try one way after the other need more steps for these than there are atoms.
  @Test(arguments: [
    "(((a*)*)*)*!", "(a+)+!", "(.*)*x", #"(\w+\.?)+!"#, "(.+.+)+!", "(a|aa|.)*!", "(a?){50}a{50}!",
    String(repeating: "(?=.*", count: 20) + "!" + String(repeating: ")", count: 20),
    String(repeating: "(?!.*", count: 20) + "!" + String(repeating: ")", count: 20) + "!",
  ])
  func workGrowsWithTheLength(pattern: String) throws {
    let pattern = try NamePattern(pattern)
    func work(_ count: Int) -> Int {
      var work = 0
      #expect(!pattern.matches(String(repeating: "a", count: count), .whole, work: &work))
      return work
    }
    #expect(work(400) < 3 * work(200))
    #expect(work(400) < 400 * 2000)
  }
}
