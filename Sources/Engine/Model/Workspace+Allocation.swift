import Allocation
import Checkpoints
import Compression
import Export
import Glibc
import Tensors
import Work
import Procedures

/// What is answered from sensitivity, in milliseconds.
extension Workspace {
  /// The plan that reaches a target best.
  ///
  /// - Throws: ``JobFailure`` when sensitivity is unknown, settings do not fit it, or no plan reaches the target that
  ///   can be carried out.
  func allocation(
    for target: BudgetTarget, _ settings: AllocationSettings
  ) throws(JobFailure) -> AllocationResult {
    let sensitivity = try knownSensitivity()
    let allocator = try makeAllocator(settings)
    let goal: AllocationGoal =
      switch target {
      case .bytes(let bytes): .bytes(bytes)
      case .bitsPerWeight(let bits): .bytes(bytes(bitsPerWeight: bits))
      case .divergence(let divergence):
        .divergence(sensitivity.predictor.sum(predicting: divergence))
      }
    let found: Allocation
    do throws(AllocationError) {
      found = try solve(allocator, for: goal, settings)
    } catch .divergenceTooSmall(_, let least) {
      let prediction = sensitivity.predictor.prediction(ofSum: least, standardError: 0)
      throw JobFailure(
        AllocationError.divergenceTooSmall(
          divergence: target.value, least: prediction.mean))
    } catch {
      throw JobFailure(error)
    }
    let schemes = schemes(of: found, by: allocator)
    do {
      try ScaleMapping.check(shapes.map { schemes[$0.name] ?? .keep }, of: description)
    } catch {
      throw JobFailure(error)
    }
    let prediction =
      sensitivity.prediction(for: schemes)
      ?? sensitivity.predictor.prediction(ofSum: found.divergence, standardError: 0)
    let bytes = bytes(of: schemes, for: settings.countedTarget)
    return AllocationResult(
      target: target, schemes: schemes, bytes: bytes,
      bytesWithBitmasks: settings.countsBitmasks ? found.bytes : nil,
      bitsPerWeight: bitsPerWeight(ofBytes: bytes),
      divergence: prediction, gap: found.gap)
  }

  /// Solves for a goal; bytes of a target's files are met to the byte.
  ///
  /// The size of headers depends on the plan, so this solves, counts the files, and solves again with the difference.
  private func solve(
    _ allocator: Allocator, for goal: AllocationGoal, _ settings: AllocationSettings
  ) throws(AllocationError) -> Allocation {
    let near = allocator.choices(of: planSchemes)
    guard case .bytes(let limit) = goal, let target = settings.countedTarget else {
      return try allocator.solve(for: goal, near: near, isExact: settings.isExact)
    }
    var best: Allocation?
    var allowed = limit
    var excess = 0
    for _ in 0..<Self.headerRounds {
      let found: Allocation
      do throws(AllocationError) {
        found = try allocator.solve(for: .bytes(allowed), near: near, isExact: settings.isExact)
      } catch {
        if best != nil { break }
        guard case .budgetTooSmall(let asked, let smallest) = error else { throw error }
        throw .budgetTooSmall(bytes: limit, smallest: smallest + limit - asked)
      }
      let written = bytes(of: schemes(of: found, by: allocator), for: target)
      let next = limit - (written - found.bytes)
      if written <= limit {
        if best.map({ found.divergence < $0.divergence }) ?? true { best = found }
        guard next > allowed else { break }
        allowed = next
      } else {
        excess = written - limit
        allowed = min(next, allowed - excess)
      }
    }
    guard let best else { throw .budgetTooSmall(bytes: limit, smallest: limit + excess) }
    return best
  }

  /// How often the bytes of headers are put right: they differ by some hundred bytes between plans.
  private static let headerRounds = 6

  private func schemes(of found: Allocation, by allocator: Allocator) -> [String: Scheme] {
    planSchemes.merging(allocator.schemes(of: found)) { $1 }
  }

  /// Predicted KLD against bytes.
  ///
  /// - Throws: as ``allocation(for:_:)``.
  func frontier(_ settings: AllocationSettings) throws(JobFailure) -> Frontier {
    let sensitivity = try knownSensitivity()
    let curve = try makeAllocator(settings).frontier().map { point in
      FrontierPoint(
        kind: .best, bytes: point.bytes,
        divergence: sensitivity.predictor.prediction(
          ofSum: point.divergence, standardError: 0
        ).mean)
    }
    var marks = sensitivity.marks(for: description).compactMap { mark in
      point(
        of: mark.schemes, for: settings.countedTarget, kind: mark.isUniform ? .uniform : .mix,
        name: mark.name)
    }
    if let current = point(
      of: planSchemes, for: settings.countedTarget, kind: .current, name: "")
    {
      marks.append(current)
    }
    if let layout, let predicted = layout.predicted, layout.target == settings.countedTarget {
      marks.append(
        FrontierPoint(
          kind: .mix, name: layout.path.fileName, bytes: layout.bytes,
          divergence: predicted.mean))
    }
    return Frontier(curve: curve, marks: marks)
  }

  /// What the current plan should cost; nil while sensitivity, or the error of a layer, is unknown.
  func predictedDivergence() -> PredictedDivergence? {
    guard var sensitivity else { return nil }
    for (place, costs) in sensitivity.layers.enumerated() {
      guard let number = number(of: costs.layer),
        costs.trial(of: plan.scheme(of: number)) == nil
      else { continue }
      guard let report = report(for: key(ofPlanFor: number)) else { return nil }
      sensitivity.layers[place].record(SchemeTrial(report, of: costs))
    }
    return sensitivity.prediction(for: planSchemes)
  }

  /// The scheme of every layer in the current plan, by name.
  var planSchemes: [String: Scheme] {
    Dictionary(
      shapes.enumerated().map { ($1.name, plan.scheme(of: $0)) },
      uniquingKeysWith: { first, _ in first })
  }

  func knownSensitivity() throws(JobFailure) -> Sensitivity {
    guard let sensitivity else {
      throw JobFailure(
        sentence: "the model's sensitivity is not known; measure it first, or open a file of it")
    }
    return sensitivity
  }

  private func makeAllocator(_ settings: AllocationSettings) throws(JobFailure) -> Allocator {
    let sensitivity = try knownSensitivity()
    try ScaleMapping.checkAlone(settings.candidates ?? [])
    let schemes = planSchemes
    var pins: [String: Scheme] = [:]
    for name in settings.pinned {
      guard let scheme = schemes[name] else {
        throw JobFailure(sentence: "the model has no layer \(name) to pin")
      }
      pins[name] = scheme
    }
    var rules = AllocationRules(
      candidates: settings.candidates, pins: pins, fusesLayers: settings.fusesLayers,
      countsBitmasks: settings.countsBitmasks)
    if let limits = settings.target.map(TargetLimits.of) {
      rules.fusesLayers = rules.fusesLayers || limits.fusesLayers
      rules.refused = refusedTrials(by: limits, in: sensitivity)
    }
    if let target = settings.countedTarget {
      do { rules.fileBytes = try fileBytes(for: target) } catch { throw JobFailure(error) }
    }
    let allocator: Allocator
    do { allocator = try sensitivity.makeAllocator(for: description, rules: rules) } catch {
      throw JobFailure(error)
    }
    guard allocator.items.contains(where: { !$0.options.isEmpty }) else {
      let who = settings.target.map { "\($0.rawValue) can hold" } ?? "the settings allow"
      throw JobFailure(
        sentence:
          "\(who) none of the schemes that sensitivity was measured for; measure it again for such as can be had: "
          + "X with that target in the workbench, --candidates int or gguf on the command line")
    }
    return allocator
  }

  /// What was tried of a layer and a target cannot hold of it.
  private func refusedTrials(
    by limits: TargetLimits, in sensitivity: Sensitivity
  ) -> [String: Set<Scheme>] {
    // An outline that cannot be had is told of where files' bytes are asked for.
    let outline = try? outline(for: limits.target)
    var refused: [String: Set<Scheme>] = [:]
    for costs in sensitivity.layers {
      guard let number = number(of: costs.layer) else { continue }
      let schemes = costs.trials.map(\.scheme)
      refused[costs.layer] = Set(
        schemes.filter {
          limits.refusal(of: $0, for: shapes[number]) != nil
            || outline?.lacksForm(of: $0, at: number) == true
        })
    }
    return refused
  }

  /// A plan among those of the frontier; nil if some scheme of it was not tried.
  private func point(
    of schemes: [String: Scheme], for target: ExportTarget?, kind: FrontierPoint.Kind, name: String
  ) -> FrontierPoint? {
    guard let prediction = sensitivity?.prediction(for: schemes) else { return nil }
    return FrontierPoint(
      kind: kind, name: name, bytes: bytes(of: schemes, for: target), divergence: prediction.mean)
  }

  /// What the target's files take of each layer under each scheme that was tried, and beside the layers.
  private func fileBytes(for target: ExportTarget) throws(ExportError) -> FileBytes {
    let outline = try outline(for: target)
    var tried: Set<Scheme> = [.keep]
    for costs in sensitivity?.layers ?? [] { tried.formUnion(costs.trials.map(\.scheme)) }
    tried.formUnion(plan.keys.map(\.scheme))
    var layers: [Scheme: [String: Int]] = [:]
    for scheme in tried { layers[scheme] = layerSizes(under: scheme, in: outline) }
    let current = outline.forecast(of: plan.keys.map(\.scheme))
    return FileBytes(
      layers: layers, others: current.layers.reduce(current.total) { $0 - $1.total })
  }

  /// Bytes of every layer by its name, all under one scheme where it fits them; worked out once.
  private func layerSizes(under scheme: Scheme, in outline: ExportOutline) -> [String: Int] {
    if let known = layerSizes[outline.target]?[scheme] { return known }
    // Rows that a group or a block does not divide have no size under the scheme, and never get it.
    let fitting = shapes.map { shape in
      (try? scheme.validated(for: shape)) == nil ? .keep : scheme
    }
    let sizes = Dictionary(
      zip(shapes, outline.forecast(of: fitting).layers).map { ($0.name, $1.total) },
      uniquingKeysWith: { first, _ in first })
    layerSizes[outline.target, default: [:]][scheme] = sizes
    return sizes
  }

  /// Bytes of the target's files; without one of all tensors of the model, as they are stored.
  func bytes(of schemes: [String: Scheme], for target: ExportTarget?) -> Int {
    let ordered = shapes.map { schemes[$0.name] ?? .keep }
    let files = target.flatMap { try? outline(for: $0) }
    return files?.forecast(of: ordered).total ?? description.tensorBytes(under: ordered)
  }

  private func bytes(bitsPerWeight bits: Double) -> Int {
    let bytes = bits * Double(description.parameterCount) / 8
    return bytes < 1e18 ? Int(bytes) : .max
  }

  private func bitsPerWeight(ofBytes bytes: Int) -> Double {
    8 * Double(bytes) / Double(max(description.parameterCount, 1))
  }
}

extension AllocationSettings {
  /// The target whose files' bytes are counted; nil counts tensors.
  ///
  /// Bitmasks always count as tensors, since no server stores them.
  fileprivate var countedTarget: ExportTarget? { countsBitmasks ? nil : target }
}

extension BudgetTarget {
  /// The number that was asked for.
  fileprivate var value: Double {
    switch self {
    case .bytes(let bytes): Double(bytes)
    case .bitsPerWeight(let bits): bits
    case .divergence(let divergence): divergence
    }
  }
}

extension SchemeTrial {
  /// What a report on a layer says of a scheme that was not tried: its KLD grows with the relative error.
  fileprivate init(_ report: LayerReport, of costs: LayerCosts) {
    let error = report.error.sqnr.map { pow(10, -$0 / 10) } ?? 0
    let divergence = error * costs.fisher.divergencePerRelativeError(energy: costs.energy)
    // Half a band of 95 % in dB is about 1.96 standard errors.
    let relativeError = report.error.sqnrBand / 10 / M_LOG10E / 1.96
    self.init(
      scheme: report.scheme, bytes: report.size.total, divergence: divergence,
      standardError: divergence * relativeError)
  }
}
