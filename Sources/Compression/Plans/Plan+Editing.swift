import Tensors

extension SchemeChange {
  /// This change followed by a later one, as one change.
  public func followed(by later: SchemeChange) -> SchemeChange {
    if later.keeps == true { return later }
    var result = SchemeChange(
      keeps: keeps == true ? true : later.keeps ?? keeps, block: later.block ?? block,
      float: later.float ?? float, bits: later.bits ?? bits, group: later.group ?? group,
      isSymmetric: later.isSymmetric ?? isSymmetric, range: later.range ?? range,
      method: later.method ?? method, sparsity: later.sparsity ?? sparsity)
    // What came last decides: a type, or the parts that one would fix.
    if later.block != nil || later.float != nil {
      (result.block, result.float) = (later.block, later.float)
      (result.bits, result.group, result.isSymmetric) = (nil, nil, nil)
    } else if let bits = block?.bits ?? float?.bits, later.setsParts {
      (result.block, result.float) = (nil, nil)
      result.bits = later.bits ?? bits
    }
    return result
  }

  private var setsParts: Bool { bits != nil || group != nil || isSymmetric != nil }

  /// The scheme of a layer for which this is all that rules say.
  ///
  /// Nothing is quantized before some rule names a width or a type; what rules leave open is a
  /// group of 64, symmetric, RTN. Ranges left open are min-max; searched for block types and floats of
  /// 4 bits, and weighted for GPTQ and AWQ, whose codes are fitted to the very inputs that weight them.
  var scheme: Scheme {
    var scheme = Scheme.keep
    let method = method ?? .rtn
    let weighted: RangeSearch? = method == .gptq || method == .awq ? .weighted : nil
    if let block {
      scheme.quantization = QuantizationScheme(
        block: block, range: range ?? weighted ?? .mse, method: method)
    } else if let float {
      scheme.quantization = QuantizationScheme(
        float: float, range: range ?? (float.bits == 4 ? weighted : nil), method: method)
    } else if let bits {
      scheme.quantization = QuantizationScheme(
        bits: bits, group: group ?? .size(64), isSymmetric: isSymmetric ?? true,
        range: range ?? weighted ?? .minMax, method: method)
    }
    if case .scheme(let sparsity) = sparsity { scheme.sparsity = sparsity }
    return scheme
  }
}

extension Plan {
  /// This plan with one more rule for the layers of these exact names.
  ///
  /// The last rule is extended instead if it names the same layers.
  public func applying(_ change: SchemeChange, to layers: [String]) -> Plan {
    guard !layers.isEmpty else { return self }
    let names = layers.map(LayerPattern.exact)
    var plan = self
    if let last = rules.last, Set(last.layers) == Set(names) {
      plan.rules[rules.count - 1].change = last.change.followed(by: change)
    } else {
      plan.rules.append(PlanRule(layers: names, change: change))
    }
    return plan
  }

  /// This plan without the rules that change no layer's scheme.
  ///
  /// Rules are looked at from the first on, since later ones are what the user said last; a rule
  /// with a malformed pattern stays.
  public func simplified(for layers: [LayerShape]) -> Plan {
    let matches = RuleMatches(rules: rules, layers: layers)
    var isKept = Array(repeating: true, count: rules.count)
    func change(of layer: Int, without left: Int?) -> SchemeChange {
      var result = SchemeChange()
      for rule in matches.rules(of: layer) where isKept[rule] && rule != left {
        result = result.followed(by: rules[rule].change)
      }
      return result
    }
    for rule in rules.indices where matches.errors[rule] == nil {
      isKept[rule] = matches.layers(of: rule).contains { layer in
        change(of: layer, without: rule).scheme != change(of: layer, without: nil).scheme
      }
    }
    var plan = self
    plan.rules = rules.indices.filter { isKept[$0] }.map { rules[$0] }
    return plan
  }
}
