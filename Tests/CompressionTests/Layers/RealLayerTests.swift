import Compression
import Foundation
import Tensors
import Testing

/// One layer of SmolLM2-135M-Instruct against numpy (Tests/Oracles/record_layer_anchors.py).
struct RealLayerTests {
  struct Anchors: Decodable {
    struct Anchor: Decodable {
      let bits: Int
      let symmetric: Bool
      let group: String
      let ours: Double
    }

    let layer: String
    let type: ElementType
    let anchors: [Anchor]
    /// SQNR under other symmetric conventions, by width and name.
    let others: [String: [String: Double]]
  }

  /// Where a tensor lies, as the header of a safetensors file has it.
  struct Entry: Decodable {
    let dtype: ElementType?
    let shape: [Int]?
    let data_offsets: [Int]?
  }

  let anchors: Anchors
  let layer: TestLayer

  init() throws {
    anchors = try fixture("layer_anchors.json", as: Anchors.self)
    let folder =
      ProcessInfo.processInfo.environment["VISE_MODELS"].map { URL(filePath: $0) }
      ?? Self.repository.appending(path: ".models")
    let file = folder.appending(path: "smollm2-hf/model.safetensors")
    let data = try #require(
      try? Data(contentsOf: file, options: .mappedIfSafe),
      "\(file.path) is missing: `make models` fetches it, VISE_MODELS names another folder")
    let size = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let header = try JSONDecoder().decode(
      [String: Entry].self, from: data.dropFirst(8).prefix(size))
    let entry = try #require(header[anchors.layer + ".weight"])
    let offsets = try #require(entry.data_offsets)
    let shape = try #require(entry.shape)
    let type = try #require(entry.dtype)
    let bytes = data[8 + size + offsets[0]..<8 + size + offsets[1]]
    layer = try #require(
      TestLayer(
        name: anchors.layer, bytes: Array(bytes), type: type, rows: shape[0], columns: shape[1]))
  }

  private static var repository: URL {
    (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
  }

  func scheme(_ anchor: Anchors.Anchor, range: RangeSearch = .minMax) throws -> Scheme {
    let group = try #require(GroupSize(anchor.group))
    return Scheme(
      quantization: QuantizationScheme(
        bits: anchor.bits, group: group, isSymmetric: anchor.symmetric, range: range))
  }

  @Test func hasTheErrorThatNumpyFinds() throws {
    #expect(layer.shape.type == anchors.type)
    for anchor in anchors.anchors {
      let report = try #require(try layer.compressed(scheme(anchor), step: 100)).report
      #expect(abs((report.error.sqnr ?? 0) - anchor.ours) < 1e-4, "\(report.scheme.summary)")
    }
  }

  @Test func symmetricScalesBeatTheCommonConvention() throws {
    for anchor in anchors.anchors where anchor.symmetric && anchor.group == "channel" {
      let others = try #require(anchors.others[String(anchor.bits)])
      let report = try #require(try layer.compressed(scheme(anchor), step: 100)).report
      #expect((report.error.sqnr ?? 0) > (others["absmax"] ?? .infinity))
      let searched = try #require(
        try layer.compressed(scheme(anchor, range: .mse), step: 100)
      ).report
      #expect((searched.error.sqnr ?? 0) > (others["signed_max"] ?? .infinity))
    }
  }

  @Test func previewsCoverTheExactError() throws {
    let profile = try #require(try layer.profile())
    for anchor in anchors.anchors {
      let report = try LayerPreview(
        matrix: layer.matrix, shape: layer.shape, scheme: scheme(anchor), profile: profile
      ).report(original: layer.matrix.byteCount)
      // Twice the 95 % band: eight samples of one layer are not independent.
      #expect(abs((report.error.sqnr ?? 0) - anchor.ours) < 2 * report.error.sqnrBand)
      #expect(report.error.sqnrBand < 1)
    }
  }
}
