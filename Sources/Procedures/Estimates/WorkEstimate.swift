import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// How long work that compresses layers should take, from their shapes, the text's length, and the speed of this machine.
public struct WorkEstimate {
  /// What observing a block takes of running it: the last layer's outputs are left out.
  private static let observing = 0.75

  private let model: ModelDescription
  public let speed: DecoderSpeed
  /// What was learned of schemes is kept in it.
  public private(set) var compression: CompressionSpeed

  /// - Parameters:
  ///   - model: Whose layers they are.
  ///   - speed: Of the model, nothing of it compressed.
  ///   - compression: Of layers.
  public init(
    of model: ModelDescription, speed: DecoderSpeed, compression: CompressionSpeed
  ) {
    (self.model, self.speed, self.compression) = (model, speed, compression)
  }

  /// Seconds to compress layers, with the sweep over the blocks where some need one, by their place in the model.
  ///
  /// A layer of the sweep bears a part of what its block takes, by its weights.
  /// - Parameters:
  ///   - schemes: Of the layers by their place in the model.
  ///   - tokens: Of the calibration.
  ///   - pace: Of finding out.
  /// - Returns: The seconds of each layer.
  /// - Throws: ``WorkFailure`` when the pace ends it.
  public mutating func compression(
    _ schemes: [Int: Scheme], tokens: Int, pace: Pace
  ) throws(WorkFailure) -> [Int: Double] {
    var seconds: [Int: Double] = [:]
    var swept: [Int: [Int]] = [:]
    for (number, scheme) in schemes {
      let layer = model.layers[number]
      seconds[number] = try compression.seconds(
        scheme, rows: layer.rows, columns: layer.columns, pace: pace)
      guard layer.site != nil, scheme.sweepOrder != nil else { continue }
      swept[place(of: layer), default: []].append(number)
    }
    // Blocks on the way to the last one are run through as well.
    let passes = (swept.keys.max() ?? -1) + 1
    let running =
      Double(min(passes, model.blockCount)) / Double(max(model.blockCount, 1))
      * Double(tokens) * speed.blocks / Double(max(swept.count, 1))
    for (block, numbers) in swept {
      let isHead = block == model.blockCount
      let orders = numbers.reduce(into: [InputSite: Set<HessianFactor.Order>]()) { orders, number in
        guard let site = model.layers[number].site, let order = schemes[number]?.sweepOrder else {
          return
        }
        orders[site, default: []].insert(order)
      }
      let whole =
        running * (1 + (isHead ? 0 : Self.observing)) + grams(of: [block], tokens: tokens)
        + factors(orders)
      let weights = numbers.reduce(0) { $0 + model.layers[$1].parameters }
      for number in numbers {
        let share = Double(model.layers[number].parameters) / Double(max(weights, 1))
        seconds[number, default: 0] += whole * share
      }
    }
    return seconds
  }

  /// Seconds to try schemes on all layers.
  ///
  /// - Parameters:
  ///   - tokens: That methods are tried with.
  ///   - candidates: Schemes that are tried on every layer.
  ///   - rows: Of a layer that they are tried on.
  ///   - pace: Of finding out.
  /// - Returns: The seconds.
  /// - Throws: ``WorkFailure`` when the pace ends it.
  public mutating func trials(
    tokens: Int, candidates: [Scheme], rows: Int, pace: Pace
  ) throws(WorkFailure) -> Double {
    var trials = Double(tokens) * speed.blocks
    let orders = Set(candidates.compactMap(\.sweepOrder))
    if !orders.isEmpty {
      let sites = Set(model.layers.compactMap(\.site))
      trials += grams(of: Set(0...model.blockCount), tokens: tokens)
      trials += factors(Dictionary(uniqueKeysWithValues: sites.map { ($0, orders) }))
    }
    for layer in model.layers {
      let tried = min(rows * layer.count, layer.rows)
      for scheme in candidates {
        trials += try compression.seconds(
          scheme, rows: tried, columns: layer.columns, pace: pace)
      }
    }
    return trials
  }

  /// Seconds to measure layers one by one, each in a model of its own.
  ///
  /// - Parameters:
  ///   - schemes: Of the layers by their place in the model.
  ///   - windows: Of the text.
  ///   - length: Positions of a window.
  ///   - scored: Positions that are scored of each.
  ///   - tokens: Of the calibration.
  ///   - pace: Of finding out.
  /// - Returns: The seconds.
  /// - Throws: ``WorkFailure`` when the pace ends it.
  public mutating func refinement(
    _ schemes: [Int: Scheme], windows: Int, length: Int, scored: Int, tokens: Int, pace: Pace
  ) throws(WorkFailure) -> Double {
    let scoring = Double(windows * scored) * 2 * speed.head
    let reading = Double(windows * length) * speed.blocks
    let found = try compression(schemes, tokens: tokens, pace: pace)
    // The reference is read once, and once more on the way through the blocks.
    var seconds = found.values.reduce(0, +) + 2 * reading + scoring / 2
    for number in schemes.keys {
      let layer = model.layers[number]
      let start = layer.role.isEmbedding ? 0 : place(of: layer)
      let rest = Double(model.blockCount - start) / Double(max(model.blockCount, 1))
      seconds += reading * rest + scoring
    }
    return seconds
  }

  /// The block that a layer is in, or the head after them.
  private func place(of layer: LayerDescription) -> Int { layer.block ?? model.blockCount }

  /// Seconds to sum the second moments of all pairs that blocks, and the head after them, read.
  private func grams(of blocks: Set<Int>, tokens: Int) -> Double {
    var sites: [InputSite: Int] = [:]
    for layer in model.layers {
      guard let site = layer.site, blocks.contains(site.block ?? model.blockCount) else { continue }
      sites[site] = layer.columns
    }
    let pairs = sites.values.reduce(0.0) { $0 + Double($1) * Double($1) }
    return Double(tokens) * pairs * compression.perPair
  }

  private func factors(_ sites: [InputSite: Set<HessianFactor.Order>]) -> Double {
    var columns: [InputSite: (width: Int, experts: Int)] = [:]
    for layer in model.layers {
      if let site = layer.site { columns[site] = (layer.columns, layer.count) }
    }
    return sites.reduce(0) { sum, site in
      let (width, experts) = columns[site.key] ?? (0, 1)
      let cube = Double(width) * Double(width) * Double(width)
      return sum + Double(site.value.count * experts) * cube * compression.perCube
    }
  }
}
