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
    .split(#"[\p{P}\$\+<=>\^~\|`]+"#), .split(gpt2Pattern), .split("[0-9][0-9][0-9]"),
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
    #"\x{41}-\x{5a}\x{61}-\x{7a}\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}"#
    + #"\x{1c4}-\x{293}\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}"#
    + #"\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}"#
    + #"\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}"#
    + #"\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}"#
    + #"\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}"#
    + #"\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}"#
    + #"\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}"#
    + #"\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}"#
    + #"\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}"#
    + #"\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}"#
    + #"\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}"#
    + #"\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}"#
    + #"\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943}"#
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
