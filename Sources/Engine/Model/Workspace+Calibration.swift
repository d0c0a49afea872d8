import Checkpoints
import Compression
import Inference
import Work
import Procedures

/// What results hang on beside a layer and its scheme.
struct Lineage {
  /// For each block, and the head after them: all that what it reads comes from.
  private(set) var before: [Int] = []
  /// The same with the block's own layers.
  private(set) var through: [Int] = []
  /// What comes before with the block's AWQ layers, whose scales hang on each other.
  private(set) var withScales: [Int] = []

  /// - Parameters:
  ///   - schemes: of every layer, in the model's order.
  ///   - swept: whether each is compressed in the sweep over the blocks.
  ///   - calibration: the number of the calibration.
  ///   - model: whose layers they are.
  init(schemes: [Scheme], swept: [Bool], calibration: Int, of model: ModelDescription) {
    func hash(_ start: Int, _ numbers: [Int]) -> Int {
      var hasher = Hasher()
      hasher.combine(start)
      for number in numbers {
        hasher.combine(number)
        hasher.combine(schemes[number])
      }
      return hasher.finalize()
    }
    var numbers: [Int: [Int]] = [:]
    for (number, layer) in model.layers.enumerated() {
      numbers[layer.block ?? -1, default: []].append(number)
    }
    var state = hash(calibration, (numbers[-1] ?? []).filter { !swept[$0] })
    for block in 0...model.blockCount {
      let layers = numbers[block] ?? []
      before.append(hash(state, layers.filter { !swept[$0] }))
      let scaled = layers.filter { schemes[$0].usesAWQ }
      withScales.append(hash(hash(state, layers.filter { !swept[$0] }), scaled))
      state = hash(state, layers)
      through.append(state)
    }
  }
}

extension Workspace {
  /// The keys of all layers under these schemes, and the lineage of the blocks.
  func keys(for schemes: [Scheme]) -> (keys: [LayerCache.Key], lineage: Lineage) {
    let needs = schemes.enumerated().map { need(of: $1, for: $0) }
    let number = calibration?.number ?? 0
    let lineage = Lineage(
      schemes: schemes, swept: needs.map { $0 == .gram }, calibration: number, of: description)
    func place(of layer: Int) -> Int {
      description.layers[layer].block ?? description.blockCount
    }
    let keys = schemes.enumerated().map { layer, scheme in
      let context =
        switch needs[layer] {
        case .nothing: 0
        case .moments: number
        case .gram where scheme.usesAWQ: lineage.withScales[place(of: layer)]
        case .gram: lineage.before[place(of: layer)]
        }
      return LayerCache.Key(layer: layer, scheme: scheme, context: context)
    }
    return (keys, lineage)
  }

  /// What is known of a layer's inputs without a sweep.
  func statistics(of number: Int) -> InputStatistics? {
    let layer = description.layers[number]
    guard layer.site != nil else { return .lookup(columns: layer.columns) }
    return calibration?.statistics(of: layer.name)
  }

  /// A calibration of the open model, not yet taken on.
  func makeCalibration(
    textPath: String, windows: TokenWindows, moments: [InputSite: InputStatistics]? = nil
  ) -> Calibration {
    Calibration(
      number: (calibration?.number ?? 0) + 1, textPath: textPath, windows: windows,
      moments: moments, of: description)
  }

  /// - Throws: ``JobFailure`` when there is none.
  func knownCalibration() throws(JobFailure) -> Calibration {
    guard let calibration else {
      throw JobFailure(sentence: "the model is not calibrated; calibrate first")
    }
    return calibration
  }

  /// Compresses with this calibration from now on; what was compressed with another one is stale.
  func accept(_ calibration: Calibration) {
    self.calibration = calibration
    (plan.isCalibrated, plan.hasMoments) = (true, calibration.moments != nil)
    if calibration.moments != nil { awaitsMoments = false }
    ask(plan.keys.map(\.scheme))
    sayHowFar()
  }

  /// Adds what a calibration left out; what was compressed with it stays as it is.
  func accept(_ moments: [InputSite: InputStatistics]) {
    calibration?.moments = moments
    plan.hasMoments = true
    awaitsMoments = false
  }

  /// Whether a layer under a scheme that need not be the plan's asks for a calibration that is not there, or for what it
  /// left out.
  func lacksCalibration(for scheme: Scheme, of number: Int) -> Bool {
    switch need(of: scheme, for: number) {
    case .nothing: false
    case .moments: calibration?.moments == nil
    case .gram: calibration == nil
    }
  }

  /// A text to calibrate on where nobody named one.
  var defaultText: String? {
    CalibrationText.standard(forModelAt: description.path, or: settings.textFolder)
  }
}
