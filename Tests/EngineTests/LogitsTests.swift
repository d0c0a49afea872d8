import Checkpoints
import Compression
import Engine
import Foundation
import Inference
import Tensors
import Testing

@Suite struct LogitsTests {
  private let model: TinyModel
  private let driver: Driver
  private let job = JobID(5)
  private let text: String
  private let words = "In the beginning was the word, and the word was with a model. "
  private let coarse = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(bits: 2, group: .size(32)))
  ])

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
    text = try model.write(words, to: "text.txt")
  }

  private var output: String { model.path + "-logits.safetensors" }

  private func request(
    tokens: Int = 40, side: ModelSide = .reference, replaces: Bool = false
  ) -> LogitsRequest {
    LogitsRequest(
      textPath: text, tokenLimit: tokens, side: side, outputPath: output, replaces: replaces)
  }

  private func failure() throws -> String {
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events.endings)")
      return ""
    }
    return reason
  }

  /// What a file of logits holds, read by the format's rules alone.
  private func read(_ path: String) throws -> (header: [String: Any], ids: [Int64], logits: [Float])
  {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let data = try Data(contentsOf: URL(filePath: path))
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let parsed = try JSONSerialization.jsonObject(with: data[8..<8 + length])
    let header = try #require(parsed as? [String: Any])
    func bytes(of name: String) throws -> Data {
      let entry = try #require(header[name] as? [String: Any])
      let place = try #require(entry["data_offsets"] as? [Int])
      return data[8 + length + place[0]..<8 + length + place[1]]
    }
    let ids = try Array(bytes(of: "token_ids")), values = try Array(bytes(of: "logits"))
    #expect(8 + length + ids.count + values.count == data.count)
    return (
      header,
      stride(from: 0, to: ids.count, by: 8).map { at in
        ids[at..<at + 8].reversed().reduce(0) { $0 << 8 | Int64($1) }
      },
      stride(from: 0, to: values.count, by: 4).map { at in
        Float(bitPattern: values[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
      }
    )
  }

  private func shape(_ name: String, in header: [String: Any]) -> [Int]? {
    (header[name] as? [String: Any])?["shape"] as? [Int]
  }

  /// The logits of one forward pass over all tokens at once, through the decoder's cache.
  private func forward(_ decoder: Decoder, tokens: Int) throws -> [Float] {
    var cache = decoder.makeCache()
    return try decoder.forward(
      tokens: words.utf8.prefix(tokens).map(Int.init), cache: &cache, wants: .all
    ).values
  }

  @Test func fastArithmeticIsNearTheExact() throws {
    driver.send(.setPlan(coarse))
    var logits: [[Float]] = []
    for arithmetic in [Arithmetic.exact, .fast] {
      var wanted = request(side: .compressed)
      wanted.arithmetic = arithmetic
      driver.send(.writeLogits(job, wanted))
      driver.run()
      logits.append(try read(output).logits)
    }
    let error = zip(logits[0], logits[1]).map { abs($0 - $1) }.max() ?? 0
    let largest = logits[0].map(\.magnitude).max() ?? 0
    #expect(error > 1e-4 * largest && error < 0.2 * largest)
  }

  @Test func roundedKeysAndValuesAreNearTheExact() throws {
    var logits: [[Float]] = []
    for type in [CacheType.f32, .f16, .int8] {
      var wanted = request()
      wanted.cacheType = type
      driver.send(.writeLogits(job, wanted))
      driver.run()
      logits.append(try read(output).logits)
    }
    let largest = logits[0].map(\.magnitude).max() ?? 0
    for (found, least, most) in [(logits[1], Float(1e-7), Float(1e-3)), (logits[2], 1e-5, 0.2)] {
      let error = zip(logits[0], found).map { abs($0 - $1) }.max() ?? 0
      #expect(error > least * largest && error < most * largest)
    }
  }

  @Test func writesWhatAForwardPassComputes() throws {
    driver.send(.writeLogits(job, request()))
    driver.run()
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
    let (header, ids, logits) = try read(output)
    #expect(shape("token_ids", in: header) == [40])
    #expect(shape("logits", in: header) == [40, TinyModel.vocabulary])
    #expect((header["logits"] as? [String: Any])?["dtype"] as? String == "F32")
    #expect(ids == words.utf8.prefix(40).map(Int64.init))
    let decoder = try Decoder(
      checkpoint: Checkpoint.open(model.path), pool: WorkerPool(threads: 1))
    let expected = try forward(decoder, tokens: 40)
    #expect(logits.count == expected.count)
    #expect(zip(logits, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func theCompressedModelIsAwaited() throws {
    driver.send(.setPlan(coarse))
    driver.send(.writeLogits(job, request(side: .compressed)))
    driver.run()
    let compressed = try read(output).logits
    driver.send(.writeLogits(job, request(side: .reference)))
    driver.run()
    let reference = try read(output).logits
    #expect(compressed.count == reference.count)
    #expect(zip(compressed, reference).contains { abs($0 - $1) > 0.1 })
  }

  @Test func shortTextGivesWhatItHas() throws {
    driver.send(.writeLogits(job, request(tokens: 100)))
    driver.run()
    let summary = driver.events.compactMap {
      if case .logitsWritten(job, let summary) = $0 { summary } else { nil }
    }.last
    #expect(summary?.tokens == words.utf8.count)
    let size = try FileManager.default.attributesOfItem(atPath: output)[.size] as? Int
    #expect(summary?.bytes == size)
    #expect(try read(output).ids.count == words.utf8.count)
  }

  @Test func moreThanTheContextIsRefusedBeforeAnyWork() throws {
    driver.send(.writeLogits(job, request(tokens: 129)))
    #expect(try failure().contains("ask for 128 or fewer"))
    driver.send(.writeLogits(job, request(tokens: .max)))
    #expect(try failure().contains("ask for 128 or fewer"))
  }

  @Test func absurdSizesAreRefusedBeforeAnyWork() throws {
    let model = try TinyModel(contextLength: 1 << 30)
    let driver = Driver(model)
    var request = request(tokens: 10_000_000)
    request.textPath = try model.write(words, to: "text.txt")
    driver.send(.writeLogits(job, request))
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events.endings)")
      return
    }
    // 4 GiB of 258 logits of 4 bytes.
    #expect(reason.contains("4 GiB") && reason.contains("\((4 << 30) / (258 * 4))"))
  }

  @Test func whatExistsIsReplacedOnlyIfAsked() throws {
    defer { try? FileManager.default.removeItem(atPath: output) }
    try Data("mine".utf8).write(to: URL(filePath: output))
    driver.send(.writeLogits(job, request()))
    #expect(try failure().contains("exists already"))
    #expect(try Data(contentsOf: URL(filePath: output)) == Data("mine".utf8))
    driver.send(.writeLogits(job, request(replaces: true)))
    driver.run()
    #expect(driver.events.endings.last?.outcome == .finished)
    #expect(try Data(contentsOf: URL(filePath: output)).count > 40 * 258 * 4)
  }

  @Test func theModelsOwnFilesAreSpared() throws {
    var request = request(replaces: true)
    request.outputPath = model.path + "/model.safetensors"
    driver.send(.writeLogits(job, request))
    #expect(try failure().contains("the model that is open"))
  }

  @Test func cancelledOrFailedLeavesNothing() throws {
    driver.send(.writeLogits(job, request()))
    for _ in 0..<5 { driver.step() }
    driver.send(.cancel(job))
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .cancelled)])
    let text = try model.write([0x61, 0xFF, 0x62], to: "bad.txt")
    var bad = request()
    bad.textPath = text
    driver.send(.writeLogits(job, bad))
    driver.run()
    #expect(try failure().hasPrefix(text))
    let folder = URL(filePath: output).deletingLastPathComponent()
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let name = URL(filePath: output).lastPathComponent
    #expect(!left.contains { $0.hasPrefix(name) })
  }
}
