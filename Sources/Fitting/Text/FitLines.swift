import Checkpoints
import Compression
import Text

/// One figure of a fit, with how it comes about.
public struct FitLine: Hashable, Sendable {
  public enum Standing: Hashable, Sendable {
    case plain, sum, good, bad
  }

  public let name: String
  public let value: String
  /// The formula, with its numbers.
  public let how: String
  public var standing = Standing.plain
}

extension Fit {
  /// Every figure in words, with its formula: memory first, then speed, energy and cost.
  public var lines: [FitLine] { memoryLines + adviceLines + speedLines + costLines }

  private var memoryLines: [FitLine] {
    var lines = [
      FitLine(
        name: "weights", value: ByteText.text(memory.weights),
        how: model.isOfFiles ? "all bytes of the target's files" : "all tensors under the plan")
    ]
    if model.hasExperts {
      lines.append(
        FitLine(
          name: "  active", value: ByteText.text(memory.activeWeights),
          how:
            "of these, what one token is multiplied with: the experts that it is sent to, and all else"
        ))
    }
    if !memory.isCacheKnown {
      lines.append(
        FitLine(
          name: "keys and values", value: "not known",
          how: "the model's settings do not say in known words what it keeps", standing: .bad))
    }
    for (place, group) in memory.cacheGroups.enumerated() {
      lines.append(
        FitLine(
          name: place == 0 ? "keys and values" : "  others", value: ByteText.text(group.bytes),
          how: how(group)))
    }
    if memory.states > 0 {
      let values = model.facts?.blocks.reduce(0) { $0 + $1.stateValues } ?? 0
      lines.append(
        FitLine(
          name: "states", value: ByteText.text(memory.states),
          how: "\(values) values of recurrences and convolutions x 4 B\(sequences)"))
    }
    lines.append(
      FitLine(name: "working memory", value: ByteText.text(memory.working), how: memory.workingText)
    )
    if memory.reserved > 0 {
      lines.append(
        FitLine(
          name: "reserved", value: ByteText.text(memory.reserved),
          how: machine.kind == .this ? "in use by programs now" : "stated for driver and system"))
    }
    lines.append(
      FitLine(
        name: "needed", value: ByteText.text(memory.total),
        how: "of \(ByteText.text(machine.memory)) that the machine has", standing: .sum))
    lines.append(
      fits
        ? FitLine(name: "left", value: ByteText.text(left), how: "it fits", standing: .good)
        : FitLine(
          name: "short", value: ByteText.text(-left), how: "it does not fit", standing: .bad))
    return lines
  }

  private func how(_ group: FitMemory.CacheGroup) -> String {
    let facts = group.facts
    let blocks = group.blocks == 1 ? "1 block" : "\(group.blocks) blocks"
    let values =
      facts.isLatent
      ? "\(facts.valuesAHead) latent values"
      : "\(facts.keyHeads) heads x \(facts.valuesAHead) values of keys and values"
    let bytes = request.cache.bytes(in: engine)
    let size = bytes == bytes.rounded() ? "\(Int(bytes))" : bytes.fixed(4)
    let window = facts.window.map { " of a window of \($0)" } ?? ""
    let rounding = engine.rounding.map { ", \($0)" } ?? ""
    return
      "\(blocks) x \(values) x \(size) B x \(group.positions) positions\(window)\(rounding)\(sequences)"
  }

  private var sequences: String { request.batch > 1 ? " x \(request.batch) sequences" : "" }

  private var adviceLines: [FitLine] {
    guard memory.isCacheKnown else { return [] }
    let most = model.facts?.contextLength ?? 0
    let context = largestContext
    let isBeyond = most > 0 && request.context > most
    let end =
      context != most
      ? "the longest with these weights"
      : isBeyond ? "the model's own, shorter than what is asked for" : "as long as the model goes"
    return [
      FitLine(
        name: "largest context", value: context.map { "\($0)" } ?? "none",
        how: context == nil ? "the rest alone does not fit" : end),
      FitLine(
        name: "room for weights", value: ByteText.text(weightBudget),
        how: "memory less all but the weights: what --budget of vise allocate takes"),
    ]
  }

  private var speedLines: [FitLine] {
    let context = TokenCount.text(request.context)
    return [
      FitLine(
        name: "prompt", value: "\(speed.prefillRate.significant(3)) tok/s",
        how: "\(speed.promptTokens) tokens in \(time(speed.prefill.total)): "
          + parts(of: speed.prefill)),
      FitLine(
        name: "decode", value: "\(speed.rateAtStart.significant(3)) tok/s",
        how: "a step takes \(time(speed.decodeAtStart.total)): " + parts(of: speed.decodeAtStart)),
      FitLine(
        name: "at \(context)", value: "\(speed.rateAtEnd.significant(3)) tok/s",
        how: "a step takes \(time(speed.decodeAtEnd.total)): " + parts(of: speed.decodeAtEnd)),
      FitLine(
        name: "bound by", value: speed.decodeAtStart.bound.rawValue, how: rates, standing: .sum),
    ]
  }

  /// The rates that times follow from.
  private var rates: String {
    guard machine.rates.isEmpty else {
      return "measured: "
        + machine.rates.map { rate in
          "\(rate.bits.fixed(rate.bits == 16 ? 0 : 2)) bit \((rate.bytes / 1e9).significant(3)) GB/s and "
            + "\((rate.operations / 1e9).significant(3)) GFLOP/s"
        }.joined(separator: "; ")
        + "; models reach \(machine.reached.bandwidth.fixed(2)) and \(machine.reached.arithmetic.fixed(2)) of these, "
        + "\(machine.reached.cache.fixed(2)) with keys and values"
    }
    let source = machine.reached.areAssumed ? "assumed" : "stated"
    return
      "\((machine.bandwidth / 1e9).significant(4)) GB/s x \(machine.reached.bandwidth.fixed(2)), "
      + "\((machine.arithmetic / 1e12).significant(4)) TFLOP/s x \(machine.reached.arithmetic.fixed(2)) (\(source) shares)"
  }

  /// `weights 12.1 ms, keys and values 0.4 ms`, the longest first.
  private func parts(of step: FitSpeed.Step) -> String {
    step.seconds.filter { $0.value > step.total / 100 }
      .sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
      .map { "\($0.key.rawValue) \(time($0.value))" }.joined(separator: ", ")
  }

  private func time(_ seconds: Double) -> String {
    seconds >= 1 ? "\(seconds.significant(3)) s" : "\((seconds * 1000).significant(3)) ms"
  }

  private var costLines: [FitLine] {
    var lines: [FitLine] = []
    if let joules = joulesAToken, let watts = machine.watts {
      lines.append(
        FitLine(
          name: "energy", value: "\(joules.significant(3)) J a token",
          how: "\(watts.significant(3)) W stated / \(speed.rateAtStart.significant(3)) tok/s"))
    }
    if let cost = costAMillion, let price = machine.price {
      lines.append(
        FitLine(
          name: "cost", value: "\(cost.significant(3)) USD",
          how: "a million tokens: \(price.significant(3)) USD an hour stated / 3600 s / tok/s"))
    }
    return lines
  }
}
