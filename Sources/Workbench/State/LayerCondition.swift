import Checkpoints
import Compression

/// What a filter asks of one of a layer's figures: `role:down_proj`, `bits<5`, `kld>=0.01`, `is:kept`.
struct LayerCondition: Hashable, Sendable {
  let figure: Figure
  private let relation: Relation
  private let value: Value

  /// What can be asked of a layer; the raw value is its word.
  enum Figure: String, CaseIterable, Sendable {
    case role, type, method, `is`
    case block, bits, bpw, size, group, sparsity, db, kld

    /// What the word asks for, for completion.
    var help: String {
      switch self {
      case .role: "a part of the layer's role: role:down_proj"
      case .type: "how the plan stores it: type:Q4_K, or BF16 where it is kept"
      case .method: "how it is quantized: method:gptq"
      case .is: "is:kept, is:changed or is:misfit, which the target cannot hold"
      case .block: "the block's number: block<4"
      case .bits: "bits of a code, of a kept layer those it is stored in: bits<5"
      case .bpw: "bits a weight with scales: bpw>4.5"
      case .size: "bytes under the plan: size>10MB"
      case .group: "weights that share a scale: group<=64"
      case .sparsity: "the share of zeros that is planned: sparsity>=50%"
      case .db: "the SQNR of what it has become: db<30"
      case .kld: "the predicted KLD of its error: kld>0.01"
      }
    }

    /// The sign that mostly follows it.
    var sign: String { isText ? ":" : self == .sparsity || self == .kld ? ">" : "<" }

    fileprivate var isText: Bool {
      switch self {
      case .role, .type, .method, .is: true
      default: false
      }
    }
  }

  /// Longer signs first, for they begin like others.
  private enum Relation: String, CaseIterable {
    case atMost = "<="
    case atLeast = ">="
    case below = "<"
    case above = ">"
    case equal = "="
    case like = ":"

    func holds(_ one: Double, _ other: Double) -> Bool {
      switch self {
      case .atMost: one <= other
      case .atLeast: one >= other
      case .below: one < other
      case .above: one > other
      case .equal, .like: one == other
      }
    }
  }

  private enum Value: Hashable, Sendable {
    case text(String)
    case number(Double)
    /// Still to be typed: everything is let through.
    case awaited
  }

  /// Why a word with a sign is no condition.
  struct Flaw: Error, Hashable, Sendable {
    let reason: String
  }

  /// Reads a condition; nil if the word has no sign of one.
  ///
  /// - Throws: ``Flaw`` for a figure that nobody knows and for a value that it cannot have.
  init?(_ word: some StringProtocol) throws(Flaw) {
    let signs: Set<Character> = ["<", ">", "=", ":"]
    guard let place = word.firstIndex(where: signs.contains) else { return nil }
    let rest = word[place...]
    guard let relation = Relation.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else {
      return nil
    }
    let name = word[..<place].lowercased()
    let text = rest.dropFirst(relation.rawValue.count).lowercased()
    guard let figure = Figure(rawValue: name) else {
      let known = Figure.allCases.map(\.rawValue).joined(separator: ", ")
      throw Flaw(reason: "\"\(name)\" is nothing to filter by; there are \(known)")
    }
    guard !figure.isText || relation == .like || relation == .equal else {
      throw Flaw(reason: "\(name) is compared by \(name):TEXT")
    }
    self.figure = figure
    self.relation = relation
    value = try Self.value(text, of: figure)
  }

  private static func value(_ text: String, of figure: Figure) throws(Flaw) -> Value {
    guard !text.isEmpty else { return .awaited }
    if figure == .is {
      guard ["kept", "changed", "misfit"].contains(where: { $0.hasPrefix(text) }) else {
        throw Flaw(reason: "a layer is kept, changed or a misfit")
      }
    }
    if figure.isText { return .text(text) }
    let number: Double? =
      switch figure {
      case .size: SizeText.bytes(text).map(Double.init)
      case .sparsity where text.hasSuffix("%"): Double(text.dropLast()).map { $0 / 100 }
      // No layer has more zeros than weights, so that 50 can only be a share in hundredths.
      case .sparsity: Double(text).map { $0 > 1 ? $0 / 100 : $0 }
      case .group where "channel".hasPrefix(text): .infinity
      default: Double(text)
      }
    guard let number, !number.isNaN else {
      let example = figure == .size ? "a size such as 10MB" : "a number"
      throw Flaw(reason: "\(figure.rawValue) is \(example), not \"\(text)\"")
    }
    return .number(number)
  }

  /// The part of a role that it names, for setting it off.
  var roleText: String? {
    guard figure == .role, case .text(let text) = value else { return nil }
    return text
  }

  /// Whether it holds for a layer as it is planned now; a figure that is not known meets no condition.
  func holds(for layer: Int, of model: OpenModel) -> Bool {
    switch value {
    case .awaited: return true
    case .text(let text): return holds(text, for: layer, of: model)
    case .number(let number):
      return figureValue(of: layer, model).map { relation.holds($0, number) } ?? false
    }
  }

  private func holds(_ text: String, for layer: Int, of model: OpenModel) -> Bool {
    let (description, scheme) = (model.layers[layer], model.schemes[layer])
    switch figure {
    case .role: return description.role.rawValue.lowercased().contains(text)
    case .type:
      let stored = scheme.keepsLayer ? description.storedText : scheme.summary
      return stored.lowercased().contains(text)
    case .method:
      let methods = [scheme.quantization?.method.rawValue, scheme.sparsity?.method.rawValue]
      return methods.contains { $0?.hasPrefix(text) == true }
    case .is:
      if "kept".hasPrefix(text) { return scheme.keepsLayer }
      return "changed".hasPrefix(text) ? !scheme.keepsLayer : model.refusal(layer) != nil
    default: return false
    }
  }

  private func figureValue(of layer: Int, _ model: OpenModel) -> Double? {
    let (description, scheme) = (model.layers[layer], model.schemes[layer])
    switch figure {
    case .block: return description.block.map(Double.init)
    case .bits:
      if let quantization = scheme.quantization { return Double(quantization.bits) }
      return description.parameters > 0
        ? Double(description.bytes) * 8 / Double(description.parameters) : nil
    case .bpw: return model.bitsPerWeight(layer)
    case .size: return Double(model.size(layer).total)
    case .group:
      switch scheme.quantization?.group {
      case .size(let size): return Double(size)
      case .channel: return .infinity
      case nil: return nil
      }
    case .sparsity: return scheme.sparsity?.pattern.ratio ?? 0
    case .db: return scheme.keepsLayer ? nil : model.currentReport(layer)?.error.sqnr
    case .kld: return scheme.keepsLayer ? nil : model.divergence(layer)
    case .role, .type, .method, .is: return nil
    }
  }
}
