import Foundation
import TestSupport
import Testing

/// The scripts that `make demo` records, replayed: what the README shows works, in no more keys than it says.
@Suite(.serialized)
struct ScriptTests {
  private static let sample = Pane.root.appending(path: "Samples/scripture").path

  /// A pane in a folder of its own that has the samples.
  private func pane(_ script: Script) throws -> Pane {
    let model = script.needsSmolLM2 ? try Repository.model("smollm2-hf") : Self.sample
    return try Pane(
      ["--theme", "dark", model], columns: script.size.columns, rows: script.size.rows,
      besideSamples: true)
  }

  private struct Layer: Decodable {
    let name: String
    let scheme: String
  }

  @Test func eachNeedsNoMoreKeysThanItMay() throws {
    let scripts = try Script.names.map(Script.init(named:))
    #expect(scripts.count { $0.mostKeys != nil } == 3)
    for script in scripts {
      if let most = script.mostKeys {
        #expect(script.keys <= most, "\(script.name) takes \(script.keys) keys")
      }
    }
  }

  /// All but those that tests below look into.
  @Test(arguments: Script.names.filter { !["mixed-plan", "served-file"].contains($0) })
  func theyWork(_ name: String) throws {
    let script = try Script(named: name)
    try script.replay(in: pane(script))
  }

  @Test func theMixedPlanIsWhatWasAskedFor() throws {
    let script = try Script(named: "mixed-plan")
    let pane = try pane(script)
    try script.replay(in: pane)
    try pane.type(":w \(pane.scratch.path)/plan.yaml\r")
    try pane.wait(for: "Saved")
    let text = try Command.run(
      [Pane.binary, "preview", Self.sample, "--plan", "\(pane.scratch.path)/plan.yaml", "--json"])
    struct Preview: Decodable { let layers: [Layer] }
    let layers = try JSONDecoder().decode(Preview.self, from: Data(text.utf8)).layers
    #expect(layers.count == 43)
    for layer in layers {
      let bits = layer.name.hasSuffix("down_proj") ? "6 bit" : "4 bit"
      #expect(layer.scheme.hasPrefix(bits), "\(layer)")
      #expect(layer.scheme.contains("2:4") == layer.name.hasSuffix("gate_proj"), "\(layer)")
    }
  }

  @Test func theServedFileKeepsItsBudget() throws {
    let script = try Script(named: "served-file")
    let pane = try pane(script)
    try script.replay(in: pane)
    let files = try FileManager.default.contentsOfDirectory(atPath: pane.scratch.path)
    let file = try #require(files.first { $0.hasSuffix(".gguf") })
    let attributes = try FileManager.default.attributesOfItem(
      atPath: pane.scratch.appending(path: file).path)
    let bytes = try #require(attributes[.size] as? Int)
    #expect(bytes <= 90_000_000 && bytes > 88_000_000, "\(bytes) bytes")
  }
}
