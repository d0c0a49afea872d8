@testable import Checkpoints
import Compression
import Foundation
import Inference
import Tensors
import TestSupport
import Testing

/// Every family that runs, against what transformers computes with the same tiny model.
///
/// The models are made by `make families`; without them these tests fail and name what is missing.
struct FamilyTests {
  private static let pool = WorkerPool(threads: 2)

  private let pool = Self.pool

  private func decoder(_ family: Family) throws -> Inference.Decoder {
    let checkpoint = try Checkpoint.open(family.path)
    #expect(checkpoint.description.abilities == .all)
    return try Inference.Decoder(checkpoint: checkpoint, pool: pool)
  }

  @Test func everyFamilyThatIsMadeIsTested() throws {
    let list = try Repository.model("\(Family.folder)/families.json")
    let made = try JSONDecoder().decode([String].self, from: Data(contentsOf: URL(filePath: list)))
    #expect(made == Family.names)
    let architectures = try Family.names.map {
      try Checkpoint.open(Family($0).path).description.architecture
    }
    #expect(Set(architectures) == Set(Architecture.all.map(\.name)))
  }

  @Test(arguments: Family.names)
  func logitsAreTransformers(name: String) throws {
    let family = try Family(name)
    let decoder = try decoder(family)
    for (row, tokens) in family.rows.enumerated() {
      var cache = decoder.makeCache()
      let found = try decoder.forward(tokens: tokens, cache: &cache, wants: .all)
      #expect(tokens.count >= 28)
      #expect(largestError(found.values, family.logits(ofRow: row)) < family.tolerance)
    }
  }

  /// Whatever parts a sequence is read in, positions see the same keys.
  @Test(arguments: Family.names)
  func cachedPositionsCountAsIfReadAtOnce(name: String) throws {
    let family = try Family(name)
    let decoder = try decoder(family)
    let tokens = family.rows[0]
    var cache = decoder.makeCache()
    cache.expectedCount = tokens.count
    var (found, start) = ([Float](), 0)
    for length in [1, 5, 1, 11, 3, tokens.count] {
      let part = Array(tokens[start..<min(start + length, tokens.count)])
      found += try decoder.forward(tokens: part, cache: &cache, wants: .all).values
      start += part.count
    }
    #expect(cache.count == tokens.count)
    #expect(largestError(found, family.logits(ofRow: 0)) < family.tolerance)
  }

  @Test(arguments: Family.names)
  func greedyTokensAreTransformers(name: String) throws {
    let family = try Family(name)
    let decoder = try decoder(family)
    var generation = try Generation(
      decoder: decoder, prompt: family.rows[1], sampler: Sampler(),
      tokenLimit: family.greedy.count, endTokens: [], chunk: 10)
    while try generation.step(using: decoder) != .ended(.tokenLimit) {}
    #expect(family.greedy.count == 8)
    #expect(generation.tokens == family.greedy)
  }

  @Test(arguments: Family.names)
  func gradientsAreAutograds(name: String) throws {
    let family = try Family(name)
    let decoder = try decoder(family)
    var pass = try FisherPass(windows: family.rows, decoder: decoder, seed: 7)
    try pass.run()
    let found = pass.result
    #expect(Set(found.keys) == family.layers)
    for layer in family.layers.sorted() {
      let fisher = try #require(found[layer])
      for (values, part) in [
        (fisher.inputs, "inputs"), (fisher.outputs, "outputs"), ([Float(fisher.trace)], "trace"),
      ] {
        var expected = try #require(family.record("fisher.\(layer).\(part)"))
        if part == "inputs" { expected = ordered(expected, asColumnsOf: layer, decoder) }
        #expect(largestError(values, expected) < 1e-4, "\(part) of \(layer)")
      }
    }
  }

  /// What layers read: of all tokens, and of each expert those that the router sends it.
  @Test(arguments: Family.names)
  func layersReadWhatTransformersLayersRead(name: String) throws {
    let family = try Family(name)
    let decoder = try decoder(family)
    let tokens = family.rows[0]
    let windows = try TokenWindows(
      tokens, length: tokens.count, contextLength: decoder.description.contextLength)
    var pass = try ActivationPass(windows, decoder: decoder)
    var checked = 0
    while true {
      let isHead = pass.isAtHead
      let layers = decoder.description.layers.filter { layer in
        isHead ? layer.site == .head : layer.block == pass.block
      }
      try pass.sweep(observing: .moments, advancing: true, with: decoder)
      for layer in layers {
        let site = try #require(layer.site)
        let found = try #require(pass.statistics(at: site))
        try expect(found, of: layer, family, decoder)
        checked += 1
      }
      if isHead { break }
    }
    // An embedding that is no head has no site.
    let sites = decoder.description.layers.filter { $0.site != nil }
    #expect(checked == sites.count && checked > 12)
  }

  /// What transformers has for a layer's columns, in the order in which they are here: heads may stand as in GGUF.
  private func ordered(
    _ values: [Float], asColumnsOf layer: String, _ decoder: Inference.Decoder
  ) -> [Float] {
    let tensor = decoder.description.tensors.first { $0.name == layer }
    guard let tiling = tensor?.columnTiling else { return values }
    return values.indices.map { values[tiling.grouped($0, of: values.count)] }
  }

  private func expect(
    _ found: InputStatistics, of layer: LayerDescription, _ family: Family,
    _ decoder: Inference.Decoder
  ) throws {
    let uses = try #require(family.record("uses.\(layer.name)"))
    let squares = ordered(
      try #require(family.record("squares.\(layer.name)")), asColumnsOf: layer.name, decoder)
    let parts = layer.count == 1 ? [found] : found.experts
    #expect(parts.count == layer.count && uses.count == layer.count)
    for (expert, part) in parts.enumerated() {
      #expect(part?.tokens ?? 0 == Int(uses[expert]), "expert \(expert) of \(layer.name)")
      guard let part else { continue }
      let columns = expert * layer.columns..<(expert + 1) * layer.columns
      let expected = squares[columns].map { $0 / uses[expert] }
      #expect(
        largestError(part.secondMoments, expected) < 1e-4, "expert \(expert) of \(layer.name)")
    }
  }
}
