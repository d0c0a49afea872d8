import Compression
import Export
import Tensors

/// The schemes that a budget may be solved with, and which of them are allowed.
struct SchemeChoices: Hashable, Sendable {
  /// Schemes that belong together and are allowed or not as one.
  enum Family: Hashable, Sendable {
    /// The layer as it is.
    case kept
    /// GGUF's block types.
    case blocks
    /// Integer codes with a scale a group.
    case integers
    /// Floats of 8 or 4 bits with scales.
    case floats
  }

  private(set) var schemes: [Scheme]
  private(set) var allowed: Set<Scheme>

  /// What is offered before anything is measured: GPTQ in GGUF's block types; integers and floats on demand.
  static let offered: SchemeChoices = {
    let blocks = BlockType.allCases.map {
      Scheme(quantization: QuantizationScheme(block: $0, range: .weighted, method: .gptq))
    }
    let integers = [2, 3, 4, 5, 6, 8].map {
      Scheme(quantization: QuantizationScheme(bits: $0, range: .weighted, method: .gptq))
    }
    let floats = FloatFormat.allCases.map {
      let scheme =
        $0.bits == 8
        ? QuantizationScheme(float: $0)
        : QuantizationScheme(float: $0, range: .weighted, method: .gptq)
      return Scheme(quantization: scheme)
    }
    return SchemeChoices(
      schemes: [.keep] + blocks + integers + floats, allowed: Set([.keep] + blocks))
  }()

  /// The same for a target, with more groups of integers: all that it can hold; GGUF's block types for none.
  static func offered(for target: ExportTarget?) -> SchemeChoices {
    guard let limits = target.map(TargetLimits.of) else { return offered }
    let grouped = [4, 8].flatMap { bits in
      [GroupSize.size(32), .size(128), .channel].map { group in
        Scheme(
          quantization: QuantizationScheme(
            bits: bits, group: group, range: .weighted, method: .gptq))
      }
    }
    let schemes = offered.schemes + grouped.filter(limits.has)
    return SchemeChoices(schemes: schemes, allowed: Set(schemes.filter(limits.has)))
  }

  /// Whether a target can hold anything that is allowed, but for layers as they are.
  func suit(_ target: ExportTarget) -> Bool {
    candidates.contains { !$0.keepsLayer && TargetLimits.of(target).has($0) }
  }

  private init(schemes: [Scheme], allowed: Set<Scheme>) {
    self.schemes = schemes
    self.allowed = allowed
  }

  /// Schemes that were measured, in the order of the first layer that has them; all are allowed.
  init(measured: [Scheme]) {
    var seen: Set<Scheme> = []
    schemes = measured.filter { seen.insert($0).inserted }
    allowed = seen
  }

  /// The allowed schemes in their order.
  var candidates: [Scheme] { schemes.filter(allowed.contains) }

  var allowsAll: Bool { allowed.count == schemes.count }

  /// Allows a scheme, or no longer; the last one allowed stays.
  mutating func toggle(_ index: Int) {
    guard schemes.indices.contains(index) else { return }
    if allowed.remove(schemes[index]) == nil {
      allowed.insert(schemes[index])
    } else if allowed.isEmpty {
      allowed.insert(schemes[index])
    }
  }

  /// Allows the whole family of a scheme, or none of it; some scheme always stays allowed.
  mutating func toggleFamily(of index: Int) {
    guard schemes.indices.contains(index) else { return }
    let family = schemes.filter { $0.family == schemes[index].family }
    if allowed.isSuperset(of: family) {
      let rest = allowed.subtracting(family)
      if !rest.isEmpty { allowed = rest }
    } else {
      allowed.formUnion(family)
    }
  }
}

extension Scheme {
  var family: SchemeChoices.Family {
    if keepsLayer { return .kept }
    if quantization?.float != nil { return .floats }
    return quantization?.block == nil ? .integers : .blocks
  }
}
