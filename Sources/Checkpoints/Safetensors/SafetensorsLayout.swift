import Tensors
import JSON

/// Where the tensors of a safetensors file lie, and the header that says so.
///
/// Wider elements come first and equally wide ones by name, as the safetensors library orders them, so that
/// all are aligned without gaps, which the format forbids.
package struct SafetensorsLayout: Hashable, Sendable {
  /// A tensor that a file is to hold.
  package struct Tensor: Hashable, Sendable {
    package let name: String
    /// As safetensors names it.
    package let typeName: String
    /// Row-major: the last dimension's elements are neighbours.
    package let shape: [Int]
    package let byteCount: Int

    package init(name: String, type: ElementType, shape: [Int]) {
      self.init(
        name: name, typeName: type.rawValue, shape: shape,
        byteCount: shape.reduce(type.bytesPerBlock, *))
    }

    /// A tensor of any type, such as is only copied.
    package init(name: String, typeName: String, shape: [Int], byteCount: Int) {
      self.name = name
      self.typeName = typeName
      self.shape = shape
      self.byteCount = byteCount
    }

    /// Bytes of an element; 1 for empty tensors, and for elements of less than a byte.
    fileprivate var width: Int { max(1, byteCount / max(1, shape.reduce(1, *))) }
  }

  /// A tensor and where its elements begin, in bytes from the beginning of the file.
  package struct Place: Hashable, Sendable {
    package let tensor: Tensor
    package let offset: Int
  }

  /// All bytes before the tensors': eight of length, JSON, spaces up to a multiple of 8.
  package let header: [UInt8]
  /// By rising offset.
  package let places: [Place]
  /// Of the whole file.
  package let byteCount: Int

  /// Lays out a file.
  ///
  /// - Parameters:
  ///   - metadata: texts by name.
  ///   - tensors: of plain element types, each with a name of its own.
  package init(metadata: [String: String], tensors: [Tensor]) {
    let sorted = tensors.sorted {
      ($1.width, $0.name) < ($0.width, $1.name)
    }
    let texts = metadata.sorted { $0.key < $1.key }.map {
      JSONObject.Member(name: $0.key, value: .string($0.value))
    }
    var members = [
      JSONObject.Member(name: "__metadata__", value: .object(JSONObject(members: texts)))
    ]
    var starts: [Int] = []
    var end = 0
    for tensor in sorted {
      starts.append(end)
      end += tensor.byteCount
      members.append(
        JSONObject.Member(
          name: tensor.name,
          value: [
            "dtype": .string(tensor.typeName),
            "shape": .array(tensor.shape.map { .integer($0) }),
            "data_offsets": [.integer(end - tensor.byteCount), .integer(end)],
          ]))
    }
    let text = JSONWriter.bytes(of: .object(JSONObject(members: members)))
    let padded = text + Array(repeating: UInt8(ascii: " "), count: -text.count & 7)
    let header = UInt64(padded.count).littleEndianBytes + padded
    self.header = header
    places = zip(sorted, starts).map { Place(tensor: $0, offset: header.count + $1) }
    byteCount = header.count + end
  }
}
