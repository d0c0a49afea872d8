/// What a machine has to serve a model with: of a file, or measured on this one.
public struct Machine: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case gpu, laptop, board, server
    /// The one that Vise runs on.
    case this
  }

  /// What people call it by: its file's name.
  public var id: String
  /// Its maker's name for it.
  public var name: String
  public var kind: Kind
  /// Bytes that a model can be in.
  public var memory: Int
  /// Bytes of them that a driver or other programs take.
  public var reserved: Int
  /// Bytes a second that are read of memory at most.
  public var bandwidth: Double
  /// Operations a second in 16-bit floats, dense, of which a product with an addition is two.
  public var arithmetic: Double
  /// The shares of these two that models reach.
  public var reached: Shares
  /// Seconds that each block takes beside, in every step of all its tokens together.
  public var secondsABlock: Double
  /// While it serves.
  public var watts: Double?
  /// In USD an hour.
  public var price: Double?
  /// Where its figures are from.
  public var sources: [String]
  /// Processors; nil where that is no matter.
  public var cores: Int?
  /// What Vise's own products reached here, by the width of codes; none for machines of files.
  public var rates: [MeasuredRate]

  /// How much of a machine's best is reached.
  public struct Shares: Codable, Hashable, Sendable {
    public var bandwidth: Double
    public var arithmetic: Double
    /// Of the bandwidth, while keys and values are read.
    public var cache: Double
    /// Whether nobody measured them.
    public var areAssumed: Bool

    /// What is assumed of machines whose files do not say: decoding reads at two thirds of the best, and prompts compute at
    /// two fifths of it.
    public static let assumed = Shares(bandwidth: 0.67, arithmetic: 0.4, areAssumed: true)
    /// For rates that are measured themselves.
    public static let all = Shares(bandwidth: 1, arithmetic: 1, areAssumed: false)

    /// Without a share of its own, keys and values are read as weights are.
    public init(
      bandwidth: Double, arithmetic: Double, cache: Double? = nil, areAssumed: Bool = false
    ) {
      self.bandwidth = bandwidth
      self.arithmetic = arithmetic
      self.cache = cache ?? bandwidth
      self.areAssumed = areAssumed
    }
  }

  /// What products with weights of one width reach.
  public struct MeasuredRate: Codable, Hashable, Sendable {
    /// Bits a weight, scales counted.
    public var bits: Double
    /// Bytes of weights a second with one vector.
    public var bytes: Double
    /// Operations a second with many vectors.
    public var operations: Double

    public init(bits: Double, bytes: Double, operations: Double) {
      self.bits = bits
      self.bytes = bytes
      self.operations = operations
    }
  }

  public init(
    id: String, name: String, kind: Kind, memory: Int, reserved: Int = 0, bandwidth: Double,
    arithmetic: Double, reached: Shares = .assumed, secondsABlock: Double = 0, watts: Double? = nil,
    price: Double? = nil, sources: [String] = [], cores: Int? = nil, rates: [MeasuredRate] = []
  ) {
    self.id = id
    self.name = name
    self.kind = kind
    self.memory = memory
    self.reserved = reserved
    self.bandwidth = bandwidth
    self.arithmetic = arithmetic
    self.reached = reached
    self.secondsABlock = secondsABlock
    self.watts = watts
    self.price = price
    self.sources = sources
    self.cores = cores
    self.rates = rates
  }

  /// Bytes and operations a second that weights of so many bits are expected to reach: those measured for the nearest width,
  /// or the machine's best, times the shares reached.
  public func rate(forBits bits: Double) -> (bytes: Double, operations: Double) {
    let nearest = rates.min { Self.distance($0.bits, bits) < Self.distance($1.bits, bits) }
    return (
      (nearest?.bytes ?? bandwidth) * reached.bandwidth,
      (nearest?.operations ?? arithmetic) * reached.arithmetic
    )
  }

  /// Bytes a second at which keys and values are read.
  public var cacheRate: Double { bandwidth * reached.cache }

  /// How far widths are apart, as a factor.
  private static func distance(_ one: Double, _ other: Double) -> Double {
    max(one, other) / max(min(one, other), 0.01)
  }
}
