import FoundationEssentials
import Links

/// What an engine says after its welcome; commands are sent to it as they are.
enum HostMessage: Codable, Hashable, Sendable {
  case event(EngineEvent)
  case attached(EngineRecord)
  /// It ends the connection; one clause that says why.
  case refused(reason: String)
}

/// Messages as they travel: JSON, a frame each.
///
/// Every number arrives as it was sent: JSON's are written with all digits that tell them apart, and what is not finite as text.
enum WireMessage {
  /// A value in a frame.
  static func encode(_ value: some Encodable, limit: Int) throws(LinkError) -> [UInt8] {
    do {
      return try FrameBuffer.frame(try json(value), limit: limit)
    } catch let error as LinkError {
      throw error
    } catch {
      throw LinkError("a message cannot be written: \(error)")
    }
  }

  /// A value as JSON.
  static func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = .withoutEscapingSlashes
    return Array(try encoder.encode(value))
  }

  static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8]
  ) throws(LinkError) -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try decoder.decode(type, from: Data(bytes))
    } catch {
      throw LinkError("a message is none of this version's: \(type) expected")
    }
  }
}
