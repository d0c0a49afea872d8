/// The cuts that `tokenizer.ggml.pre` names, and what else the name says of a tokenizer.
///
/// Names as llama.cpp's src/llama-vocab.cpp knows them; patterns as the tokenizers that they stand for spell them.
extension PreTokenizer {
  package struct GGUFName: Sendable {
    package let name: String
    package let preTokenizer: PreTokenizer
    /// Whether words that are tokens are not merged.
    package var ignoresMerges = false
    /// Whether a text starts with the begin token if the file does not say.
    package var addsBeginToken = false
  }

  /// By name; where several names say the same, the first is the one to write.
  package static let ggufNames: [GGUFName] =
    names(["gpt-2", "olmo", "jais", "trillion", "granite-docling"], .gpt2)
    + names(["phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat"], .gpt2)
    + names(["a.x-4.0", "mellum", "modern-bert", "exaone4", "mpt"], .gpt2)
    + names(["jina-v1-en", "jina-v2-code", "roberta-bpe"], .gpt2)
    + names(["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"], .smollm)
    + names(["minerva-7b", "mellum2"], .smollm)
    + names(["llama-bpe", "llama3", "llama-v3"], .llama3, ignoresMerges: true, begins: true)
    + names(
      ["falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"], .llama3,
      ignoresMerges: true, begins: true)
    + names(["glm4", "glm5"], .llama3, ignoresMerges: true)
    + names(["dbrx", "smaug-bpe", "chatglm-bpe"], .llama3)
    + names(["qwen2", "stablelm2", "hunyuan", "solar-open", "grok-2", "megrez"], .qwen2)
    + names(["deepseek-r1-qwen", "kormo", "f2llmv2"], .qwen2)
    + names(["qwen35"], .qwen35)
    + names(["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], .o200k)
    + names(["granite-embed-multi-97m"], .o200k, ignoresMerges: true)
    + names(["tekken"], .tekken, ignoresMerges: true, begins: true)
    + names(["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"], .deepseekV3)
    + rareNames

  package static func gguf(named name: String) -> GGUFName? {
    ggufNames.first { $0.name == name }
  }

  /// What llama.cpp cuts with where the file names nothing, or `default`.
  package static let ggufDefault = PreTokenizer([
    .split(#"[\p{P}\$\+<=>\^~\|]+"#), .split(gpt2Pattern), .split(digitsPattern),
    .split("[0-9][0-9][0-9]"),
  ])

  private static func names(
    _ names: [String], _ preTokenizer: PreTokenizer, ignoresMerges: Bool = false,
    begins: Bool = false
  ) -> [GGUFName] {
    names.map { name in
      GGUFName(
        name: name, preTokenizer: preTokenizer, ignoresMerges: ignoresMerges,
        addsBeginToken: begins)
    }
  }
}

/// Cuts of single families.
extension PreTokenizer {
  private static let rareNames: [GGUFName] =
    names(["falcon"], falcon) + names(["deepseek-llm"], deepseekLLM)
    + names(["deepseek-coder"], deepseekCoder)
    + names(["poro-chat", "bloom", "gpt3-finnish"], PreTokenizer([.split(bloomPattern)]))
    + names(["viking"], PreTokenizer([.split(bloomPattern), .split(digitPattern)]))
    + names(["superbpe"], PreTokenizer([.split(digitsPattern), .split(#"(?=(\d{3})+(?!\d))"#)]))
    + names(["tiny_aya", "cohere2moe"], tinyAya)
    + names(["bailingmoe", "bailingmoe2", "llada-moe"], PreTokenizer([.split(bailingPattern)]))
    + names(["seed-coder"], PreTokenizer([.split(seedPattern)]))
    + names(["exaone-moe"], PreTokenizer([.split(exaonePattern)]))
    + names(["ufakzeka"], PreTokenizer([.split(uncontractedPattern)]))
    + names(["laguna"], PreTokenizer([.split(linesPattern), .split(qwen2Pattern)]))
    + names(["kimi-k2"], PreTokenizer([.split(kimiPattern)]))
    + names(["youtu"], youtu, ignoresMerges: true)
    + names(["minicpm5"], miniCPM, ignoresMerges: true)
    + names(["jais-2"], PreTokenizer([.split(jaisPattern)]))

  private static let contractions = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"#
  private static let lastSpaces = #"|\s+(?!\S)|\s+"#

  private static let falcon = PreTokenizer([
    .split(#"[\p{P}\$\+<=>\^~\|`]+"#), .split(gpt2Pattern), .split(digitsPattern),
    .split("[0-9][0-9][0-9]"),
  ])
  private static let deepseekCoder = PreTokenizer([
    .split(#"[\r\n]"#), .split(#"\s?\p{L}+"#), .split(#"\s?\p{P}+"#),
    .split("[一-龥ࠀ-一가-퟿]+"), .split(digitPattern),
  ])
  private static let deepseekLLM = PreTokenizer([
    .split(#"[\r\n]"#), .split(#"\s?[\#(casedLetters)]+"#), .split(#"\s?[!-/:-~！-／：-～‘-‟　-。]+"#),
    .split(#"\s+$"#), .split("[一-龥ࠀ-一가-퟿]+"), .split(digitsPattern),
  ])
  /// Letters of the scripts that have cases, as DeepSeek LLM lists them.
  private static let casedLetters =
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼ"
    + "ℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
  private static let tinyAya = PreTokenizer([
    .split(#"\d{1,3}(?=(?:\d{3})*\b)"#), .split(o200kPattern),
  ])
  private static let youtu = PreTokenizer([
    .split("[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+"),
    .split(o200kPattern.replacing(#"\p{N}{1,3}"#, with: digitPattern)),
  ])
  private static let miniCPM = PreTokenizer([
    .split(#"\p{N}{1,3}"#), .split(llama3Pattern.replacing(#"\p{N}{1,3}"#, with: digitsPattern)),
  ])
  private static let bloomPattern = " ?[^(\\s|.,!?…。，、।۔،)]+"
  private static let uncontractedPattern = qwen2Pattern.replacing(contractions, with: "")
  private static let bailingPattern =
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"#
    + lastSpaces
  private static let seedPattern =
    contractions + #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+"#
    + lastSpaces
  private static let exaonePattern =
    contractions + #"[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"#
    + #"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]"# + lastSpaces
  private static let jaisPattern =
    contractions + #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"#
    + #"|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)"#
    + #"|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"#
  /// o200k's words, but Chinese characters are words of their own.
  private static let kimiPattern =
    #"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"#
    + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
    + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"#
    + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
    + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"# + lastSpaces
}
