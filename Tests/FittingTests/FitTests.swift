import Checkpoints
import Compression
import Export
import Tensors
import Testing

@testable import Fitting

extension ModelDescription {
  /// A model of one layer, of which only what serving takes matters.
  static func served(
    _ blocks: [BlockCacheFacts], weights: Int = 1_000_000, hidden: Int = 4096,
    vocabulary: Int = 128_256, context: Int = 131_072
  ) -> ModelDescription {
    let layer = LayerDescription(
      name: "model.layers.0.mlp.up_proj", role: .up, block: 0, rows: 1000, columns: weights / 2000,
      type: .float16, bytes: weights)
    return ModelDescription(
      name: "served", path: "served", format: .huggingFace, architecture: "any", blueprint: nil,
      parameterCount: weights / 2, tensorBytes: weights, fingerprint: "", layers: [layer],
      serving: ServingFacts(
        hiddenSize: hidden, vocabularySize: vocabulary, contextLength: context, blocks: blocks))
  }
}

/// A machine of round figures.
private let machine = Machine(
  id: "round", name: "Round", kind: .gpu, memory: 10_000_000_000, reserved: 1_000_000_000,
  bandwidth: 100e9, arithmetic: 1e12, reached: .init(bandwidth: 0.5, arithmetic: 0.5), watts: 100,
  price: 3.6)

/// What keys and values take, against figures worked out by hand, and against those that llama.cpp prints.
struct CacheBytesTests {
  private func cache(
    _ blocks: [BlockCacheFacts], _ context: Int, in engine: ServingEngine = .transformers,
    batch: Int = 1, as precision: CacheType = .f16
  ) -> Int {
    let served = ServedModel(.served(blocks), schemes: [.keep], forecast: nil)
    return FitMemory(
      of: served, for: FitRequest(context: context, batch: batch, cache: precision), in: engine,
      reserved: 0
    ).cache
  }

  private let llama = Array(
    repeating: BlockCacheFacts(keyHeads: 8, valuesAHead: 256, queryWidth: 4096), count: 32)

  @Test func llama31Takes4GiBFor32kTokens() {
    #expect(cache(llama, 32_768) == 4 << 30)
    #expect(cache(llama, 32_768, batch: 3) == 12 << 30)
    #expect(cache(llama, 32_768, in: .llamaCpp, as: .int8) == (4 << 30) / 64 * 34)
    #expect(cache(llama, 32_768, in: .vllm, as: .int8) == 2 << 30)
    #expect(cache(llama, 32_768, in: .vise, as: .f32) == 8 << 30)
  }

  @Test func deepSeekTakesALatentRowABlock() {
    let blocks = Array(
      repeating: BlockCacheFacts(keyHeads: 1, valuesAHead: 576, isLatent: true), count: 61)
    #expect(cache(blocks, 32_768) == 2_302_672_896)
  }

  @Test func llamaCppGivesWindowsAStepMore() {
    // Gemma 3 27B: every sixth of 62 blocks sees all.
    let gemma = (0..<62).map {
      BlockCacheFacts(keyHeads: 16, valuesAHead: 256, window: ($0 + 1) % 6 == 0 ? nil : 1024)
    }
    // 10 x 16 x 256 x 2 x 32768, and 52 x 16 x 256 x 2 x 1536.
    #expect(cache(gemma, 32_768, in: .llamaCpp) == 2_684_354_560 + 654_311_424)
    // transformers leaves a window's own position to the next step.
    #expect(cache(gemma, 32_768) == 2_684_354_560 + 52 * 16 * 256 * 2 * 1023)
    #expect(cache(gemma, 32_768, in: .vise) == 62 * 16 * 256 * 2 * 32_768)
    // Windows are no longer than the context.
    #expect(cache(gemma, 512, in: .llamaCpp) == 62 * 16 * 256 * 2 * 512)
  }

  /// `llama_kv_cache: size` and `sched_reserve: compute buffer size`, in MiB, with 4096 cells.
  @Test(arguments: [
    // Gemma 3 270M: 12.00 MiB in 3 layers and 15.00 MiB in 15 with a window of 512.
    ("gemma-3-270m", 18, 1, 512, 640, 262_144, 27.0, 514.5),
    ("Qwen2.5-Coder-1.5B", 28, 2, nil, 1536, 151_936, 112.0, 302.75),
    ("SmolLM2-135M", 30, 3, nil, 576, 49_152, 90.0, 98.25),
  ])
  func itIsWhatLlamaCppPrints(
    name: String, blocks: Int, heads: Int, window: Int?, hidden: Int, vocabulary: Int,
    cache: Double, buffer: Double
  ) {
    let size = name.hasPrefix("SmolLM2") ? 64 : name.hasPrefix("gemma") ? 256 : 128
    let facts = (0..<blocks).map { block in
      BlockCacheFacts(
        keyHeads: heads, valuesAHead: 2 * size, window: (block + 1) % 6 == 0 ? nil : window)
    }
    let served = ServedModel(
      .served(facts, hidden: hidden, vocabulary: vocabulary), schemes: [.keep], forecast: nil)
    let memory = FitMemory(
      of: served, for: FitRequest(context: 4096), in: .llamaCpp, reserved: 0)
    #expect(Double(memory.cache) / 1_048_576 == cache)
    #expect(Double(memory.working) / 1_048_576 == buffer)
  }

  @Test func pagesAreWhole() {
    let one = [BlockCacheFacts(keyHeads: 1, valuesAHead: 1)]
    #expect(cache(one, 1, in: .vllm) == 2 * 16 && cache(one, 17, in: .vllm) == 2 * 32)
    #expect(cache(one, 1, in: .llamaCpp) == 2 * 256 && cache(one, 257, in: .llamaCpp) == 2 * 512)
    let windowed = [BlockCacheFacts(keyHeads: 1, valuesAHead: 1, window: 128)]
    // A window less one, a step of 2048 and a page.
    #expect(cache(windowed, 100_000, in: .vllm) == 2 * (2176 + 16))
  }
}

struct FitTests {
  private let blocks = Array(
    repeating: BlockCacheFacts(keyHeads: 8, valuesAHead: 256, queryWidth: 4096), count: 32)

  private func fit(weights: Int, _ request: FitRequest = FitRequest()) -> Fit {
    Fit(
      of: ServedModel(
        .served(blocks, weights: weights), schemes: [.keep], forecast: nil),
      on: machine, for: request, in: .llamaCpp)
  }

  @Test func whatIsShortAndWhatWouldFit() {
    let large = fit(weights: 8_000_000_000, FitRequest(context: 32_768))
    #expect(!large.fits && large.left < 0)
    #expect(large.memory.total == 8_000_000_000 + large.memory.besideWeights)
    // The weights that are said to fit do, and not a byte more.
    let room = large.weightBudget
    #expect(room == 9_000_000_000 - (4 << 30) - 512 * (128_256 + 8192) * 4)
    let fitting = fit(weights: room / 2000 * 2000, FitRequest(context: 32_768))
    #expect(fitting.fits && fitting.left < 2000)
    let context = large.largestContext ?? 0
    #expect(context > 256 && context % 256 == 0)
    #expect(fit(weights: 8_000_000_000, FitRequest(context: context)).fits)
    #expect(!fit(weights: 8_000_000_000, FitRequest(context: context + 1)).fits)
    #expect(fit(weights: 20_000_000_000).largestContext == nil)
    #expect(fit(weights: 1_000_000).largestContext ?? 0 > 60_000)
  }

  @Test func decodingReadsWeightsAndWhatWasRead() {
    let fit = fit(weights: 5_000_000_000, FitRequest(context: 8192))
    // 5 GB at half of 100 GB/s.
    let step = fit.speed.decodeAtStart
    #expect(abs((step.seconds[.weights] ?? 0) - 0.1) < 1e-9 && step.bound == .weights)
    // 512 positions of 32 x 8 x 256 values in 2 bytes.
    #expect(abs((step.seconds[.cache] ?? 0) - 67_108_864 / 50e9) < 1e-9)
    #expect(fit.speed.rateAtEnd < fit.speed.rateAtStart)
    #expect(abs(fit.speed.rateAtStart - 1 / step.total) < 1e-9)
    // 100 W for so long; 3.6 USD an hour are 0.001 a second.
    #expect(abs((fit.joulesAToken ?? 0) - 100 * step.total) < 1e-6)
    #expect(abs((fit.costAMillion ?? 0) - 1000 * step.total) < 1e-6)
  }

  @Test func manySequencesMakeArithmeticTheLimit() {
    let one = fit(weights: 2_000_000_000, FitRequest(context: 256))
    let many = fit(weights: 2_000_000_000, FitRequest(context: 256, batch: 64))
    #expect(one.speed.decodeAtStart.bound == .weights)
    #expect(many.speed.decodeAtStart.bound == .arithmetic)
    #expect(many.speed.rateAtStart > one.speed.rateAtStart)
    // A prompt multiplies 1e9 weights with 256 tokens at half of 1e12 operations a second, and attends.
    let pairs = 256 * 257 / 2
    let seconds = 2e9 * 256 / 5e11 + 32 * 4 * 4096 * Double(pairs) / 5e11
    #expect(abs(one.speed.prefill.total - seconds) < 1e-6)
  }

  @Test func expertsAreReadAsTheyAreChosen() {
    let stack = LayerDescription(
      name: "model.layers.0.mlp.experts.up_proj", role: Role(rawValue: "experts.up_proj"), block: 0,
      count: 8, rows: 8000, columns: 1000, type: .float16, bytes: 16_000_000)
    let model = ModelDescription(
      name: "moe", path: "moe", format: .huggingFace, architecture: "any", blueprint: nil,
      parameterCount: 8_000_000, tensorBytes: 16_000_000, fingerprint: "", layers: [stack],
      serving: ServingFacts(
        hiddenSize: 1000, vocabularySize: 10, contextLength: 100, chosenExperts: 2, blocks: []))
    let served = ServedModel(model, schemes: [.keep], forecast: nil)
    func reading(batch: Int) -> Double {
      FitSpeed(
        of: served, for: FitRequest(context: 10, batch: batch), in: .vllm, on: machine
      ).decodeAtStart.seconds[.weights] ?? 0
    }
    #expect(abs(reading(batch: 1) - 4_000_000 / 50e9) < 1e-12)
    // Two tokens leave (3/4)^2 of the experts alone.
    #expect(abs(reading(batch: 2) - 7_000_000 / 50e9) < 1e-12)
  }

  @Test func aPlansWidthsDecideWhichRateCounts() {
    var measured = machine
    measured.reached = Machine.Shares(bandwidth: 1, arithmetic: 1, cache: 0.5)
    measured.rates = [
      .init(bits: 16, bytes: 10, operations: 1), .init(bits: 8.25, bytes: 20, operations: 2),
      .init(bits: 4.25, bytes: 30, operations: 3),
    ]
    #expect(measured.rate(forBits: 16).bytes == 10 && measured.rate(forBits: 32).bytes == 10)
    #expect(measured.rate(forBits: 6.5).bytes == 20 && measured.rate(forBits: 3).bytes == 30)
    #expect(measured.cacheRate == 50e9)
    #expect(machine.rate(forBits: 4).bytes == 50e9)
  }

  @Test func everyFigureHasItsFormula() {
    let lines = fit(weights: 5_000_000_000, FitRequest(context: 32_768)).lines
    #expect(lines.allSatisfy { !$0.how.isEmpty && !$0.value.isEmpty })
    let cache = lines.first { $0.name == "keys and values" }
    #expect(
      cache?.how
        == "32 blocks x 8 heads x 256 values of keys and values x 2 B x 32768 positions, padded to 256"
    )
    #expect(cache?.value == "4.29 GB")
    #expect(lines.contains { $0.name == "short" && $0.standing == .bad })
  }

  @Test func unknownCachesAreSaidToBe() {
    let model = ModelDescription(
      name: "odd", path: "odd", format: .huggingFace, architecture: "odd", blueprint: nil,
      parameterCount: 10, tensorBytes: 20, fingerprint: "", layers: [])
    let fit = Fit(
      of: ServedModel(model, schemes: [], forecast: nil), on: machine, for: FitRequest(),
      in: .vllm)
    #expect(fit.largestContext == nil && !fit.memory.isCacheKnown)
    #expect(fit.lines.contains { $0.name == "keys and values" && $0.value == "not known" })
    #expect(
      Fit.weightBudget(
        FitBudget(memory: 100, request: FitRequest()),
        for: ServedModel(model, schemes: [], forecast: nil), in: .vllm) == nil)
  }
}

struct FitBudgetTests {
  @Test func budgetsAreSaidInWords() {
    let budget = FitBudget("24 GB with 32k of context")
    #expect(budget?.memory == 24_000_000_000 && budget?.request == FitRequest(context: 32_768))
    #expect(
      FitBudget("24GiB with 5000 tokens, batch 4, int8")?.request
        == FitRequest(context: 5000, batch: 4, cache: .int8))
    #expect(FitBudget("24 GB with 1m")?.request.context == 1 << 20)
    for wrong in [
      "24 GB", "24 GB with", "with 32k", "24 with 32k of soup", "4.5bpw with 32k", "2 GB with 0k",
      "2 GB with 4k, batch 0",
    ] {
      #expect(FitBudget(wrong) == nil, "\(wrong)")
    }
  }

  @Test func tokensAreSaidInWords() {
    #expect(TokenCount.tokens("32k") == 32_768 && TokenCount.tokens("5000") == 5000)
    #expect(TokenCount.tokens("0") == nil && TokenCount.tokens("-1") == nil)
    #expect(TokenCount.tokens("1.5k") == 1536 && TokenCount.tokens("99999999999k") == nil)
    #expect(TokenCount.text(32_768) == "32k" && TokenCount.text(5000) == "5000")
  }
}
