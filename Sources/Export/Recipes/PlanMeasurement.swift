import FoundationEssentials

/// What a plan was chosen by, as plain JSON for other programs: each layer's schemes with their bytes and predicted KLD.
public struct PlanMeasurement: Codable, Hashable, Sendable {
  /// A scheme that a layer might get.
  public struct Trial: Codable, Hashable, Sendable {
    public var scheme: String
    public var bytes: Int
    /// Predicted, in nats a token, if all other layers stay as they are.
    public var kld: Double

    public init(scheme: String, bytes: Int, kld: Double) {
      self.scheme = scheme
      self.bytes = bytes
      self.kld = kld
    }
  }

  public struct Layer: Codable, Hashable, Sendable {
    public var name: String
    public var rows: Int
    public var columns: Int
    /// The plan's choice.
    public var scheme: String
    public var bytes: Int
    /// What was tried; empty where sensitivity was not measured.
    public var trials: [Trial]

    public init(
      name: String, rows: Int, columns: Int, scheme: String, bytes: Int, trials: [Trial]
    ) {
      self.name = name
      self.rows = rows
      self.columns = columns
      self.scheme = scheme
      self.bytes = bytes
      self.trials = trials
    }
  }

  public var model: String
  /// SHA-256 of the checkpoint's header, hexadecimal.
  public var fingerprint: String
  public var layers: [Layer]

  public init(model: String, fingerprint: String, layers: [Layer]) {
    self.model = model
    self.fingerprint = fingerprint
    self.layers = layers
  }

  /// The file.
  var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // Plain values always have a JSON form.
    return (try? encoder.encode(self)).map { Array($0) + [UInt8(ascii: "\n")] } ?? []
  }
}
