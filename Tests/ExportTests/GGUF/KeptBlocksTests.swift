@testable import Checkpoints
import Compression
import Export
import Tensors
import TestSupport
import Testing

/// Layers in blocks that nothing is quantized to here: exports copy them byte for byte, and say what most of them are.
struct KeptBlocksTests {
  /// `LlamaFileType` in the gguf package 0.19; Q2_0, which it lacks, as `llama_ftype` in llama.cpp's `llama.h`.
  private static let fileTypes: [(type: ElementType, number: Int)] = [
    (.iq2_xxs, 19), (.iq2_xs, 20), (.iq3_xxs, 23), (.iq1_s, 24), (.iq3_s, 26), (.iq2_s, 28),
    (.iq4_xs, 30), (.iq1_m, 31), (.tq1_0, 36), (.tq2_0, 37), (.mxfp4, 38), (.nvfp4, 39),
    (.q1_0, 40), (.q2_0, 41),
  ]

  @Test func allSuchTypesAreTried() {
    let types = ElementType.allCases.filter {
      $0.isDecodable && $0.isQuantized && !$0.format.canBeChosen
    }
    #expect(Set(types) == Set(Self.fileTypes.map(\.type)))
  }

  @Test(arguments: fileTypes.indices)
  func theirBytesAreCopied(index: Int) throws {
    let (type, number) = Self.fileTypes[index]
    let source = try Self.sample(in: type)
    let written = try TestFiles.with(source, named: "source.gguf") { path in
      let checkpoint = try Checkpoint.open(path)
      #expect(checkpoint.description.layers.allSatisfy { $0.type == type })
      let model = try CompressedModel(checkpoint) { _ in .keep }
      return try model.file(GGUFEncoding(model: model.export))
    }
    let header = try GGUFHeader(ByteStorage(copying: written), file: "written.gguf")
    let expected = try GGUFHeader(ByteStorage(copying: source), file: "source.gguf")
    #expect(header.value("general.file_type") == .integer(number))
    #expect(header.entries.map(\.name) == expected.entries.map(\.name))
    for (entry, like) in zip(header.entries, expected.entries) {
      #expect(entry.typeName == like.typeName && entry.shape == like.shape)
      #expect(
        written[entry.offset..<entry.offset + entry.byteCount]
          == source[like.offset..<like.offset + like.byteCount], "\(entry.name)")
    }
  }

  /// The sample as a GGUF file whose layers are random blocks of one type, of scales below 2.
  private static func sample(in type: ElementType) throws -> [UInt8] {
    let model = try CompressedModel(Checkpoint.open(Repository.path("Samples/scripture"))) { _ in
      .keep
    }
    let plain = try model.file(GGUFEncoding(model: model.export))
    let header = try GGUFHeader(ByteStorage(copying: plain), file: "plain.gguf")
    var random = SeededRandom(seed: UInt64(type.bytesPerBlock))
    var elements: [[UInt8]] = []
    let tensors = header.entries.map { entry in
      let isLayer = entry.shape.count == 2
      let tensor = GGUFFile.Tensor(
        name: entry.name, type: isLayer ? type : .float32, shape: entry.shape)
      elements.append(
        isLayer
          ? random.bytes(tensor.byteCount).map { $0 & 0x3f }
          : Array(plain[entry.offset..<entry.offset + entry.byteCount]))
      return tensor
    }
    return GGUFFile(metadata: header.encodedMetadata, tensors: tensors).bytes(elements)
  }
}
