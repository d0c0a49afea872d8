import Checkpoints
import Tokenization

/// A text in many scripts, on which two ways to say a tokenizer are compared where nothing proves them alike.
enum TokenizerSample {
  /// A line of words, the one that both become other tokens of, and where these part.
  struct Difference: Hashable, Sendable {
    let line: String
    /// Texts of the first tokens that differ; nil where a list ends.
    let own: String?
    let other: String?
  }

  static let lines = [
    "The quick brown foxes weren't jumping over 13 lazy dogs; they'd rather sleep (mostly), I'd say.",
    "Señor Núñez, où êtes-vous? Größe, Ångström, żółw, čeština, İstanbul, tiếng Việt, e\u{301}.",
    "Съешь ещё этих мягких французских булок. Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Հայերեն, ქართული.",
    "שפה עברית ומילים נוספות. اللغة العربية والكلمات ١٢٣. فارسی می‌نویسم. اردو",
    "हिन्दी में एक वाक्य। বাংলা ভাষা। தமிழ் மொழி. తెలుగు. ภาษาไทยไม่เว้นวรรค ភាសាខ្មែរ አማርኛ",
    "我喜欢在早上喝咖啡，然后读书。日本語のカタカナとひらがな、漢字。한국어 문장은 이렇게 씁니다.",
    "for (int i = 0; i < n; ++i) { sum += values[i] * 2.5e-3; } // done",
    "def main():\n    print(\"hello\")\n\n\n\treturn None\r\n  # the end   ",
    "{\"key\": [1, 22, 333, 4444, 55555], \"url\": \"https://example.org/a_b-c?d=e&f=%20\"}",
    "HTML <b>bold</b> & TeX $\\frac{a}{b}$, 3.14159, 2001-09-11, 1/2, 50 %, €20, x² ≠ ∑ →.",
    "  two  spaces,   three,    four,        eight                and sixteen",
    "aaaaaaaaaaaaaaaa !!!!!!!! ======== -------- ........ ________ \u{3000}\u{2003}\u{200b}",
    "camelCaseWords ALLCAPS snake_case kebab-case I'm YOU'RE 1st 2ND antidisestablishmentarianism",
    "🙂🚀👍🏽👨‍👩‍👧‍👦🇩🇪 ☃ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𓀀 \u{fffd}",
  ]

  /// The first line that two tokenizers disagree on; nil if there is none.
  static func difference(
    of own: TokenizerDefinition, and other: TokenizerDefinition
  ) throws(TokenizerError) -> Difference? {
    let (own, other) = (try Tokenizer(own), try Tokenizer(other))
    for line in lines {
      let ids = [own, other].map { $0.encode(line, allowsSpecialTokens: false) }
      guard ids[0] != ids[1] else { continue }
      let place = zip(ids[0], ids[1]).prefix { $0 == $1 }.count
      func text(_ ids: [Int]) -> String? {
        ids.indices.contains(place) ? own.text(of: ids[place]) : nil
      }
      return Difference(line: line, own: text(ids[0]), other: text(ids[1]))
    }
    return nil
  }
}
