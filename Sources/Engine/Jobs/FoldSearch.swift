import Checkpoints
import Compression
import Inference
import Tensors

/// The search for the scales of all AWQ layers of a block, from one observation of it.
struct FoldSearch {
  /// What the layers' results hang on; another plan of the block needs another search.
  let context: Int
  private let inputs: [InputSite: InputStatistics]
  private var waiting: [ScaleMapping]
  private var search: AWQSearch?
  private var found: [(mapping: ScaleMapping, scales: [Float])] = []
  private var norms: [InputSite: FoldedNorm] = [:]

  /// - Parameters:
  ///   - mappings: what is searched.
  ///   - inputs: what is read at their sites; scales stay ones where nothing is known.
  ///   - context: of the layers' keys.
  init(_ mappings: [ScaleMapping], inputs: [InputSite: InputStatistics], context: Int) {
    self.context = context
    self.inputs = inputs
    waiting = mappings.filter { inputs[$0.site] != nil }
  }

  /// Works for a while.
  ///
  /// - Returns: whether there is more to do.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> Bool {
    guard let mapping = waiting.first else { return false }
    if search == nil { search = try begin(mapping, in: &workspace) }
    guard var search else { return false }
    // Held in one place only while it works, so that nothing of it is copied.
    self.search = nil
    let end = workspace.now() + stepLength
    do throws(CompressionError) {
      repeat { try search.step() } while !search.isFinished && workspace.now() < end
    } catch {
      throw JobFailure(error)
    }
    guard search.isFinished else {
      self.search = search
      return true
    }
    if let scales = search.finish() { try fold(scales, of: mapping, in: workspace) }
    waiting.removeFirst()
    return !waiting.isEmpty
  }

  private func begin(
    _ mapping: ScaleMapping, in workspace: inout Workspace
  ) throws(JobFailure) -> AWQSearch? {
    guard let statistics = inputs[mapping.site] else { return nil }
    var layers: [AWQSearch.Layer] = []
    for number in mapping.readers {
      layers.append(
        AWQSearch.Layer(
          matrix: try workspace.matrix(of: number), shape: workspace.shapes[number],
          scheme: workspace.key(ofPlanFor: number).scheme))
    }
    do {
      return try AWQSearch(
        layers: layers, statistics: statistics, pool: workspace.models.sharedPool())
    } catch {
      throw JobFailure(error)
    }
  }

  /// Gives the scales to the layers, and to what takes them back.
  private mutating func fold(
    _ scales: [Float], of mapping: ScaleMapping, in workspace: Workspace
  ) throws(JobFailure) {
    guard let name = mapping.norm else {
      found.append((mapping, scales))
      return
    }
    do {
      let type = try workspace.checkpoint.matrix(of: name).type
      let norm = try workspace.checkpoint.vector(named: name)
      let folded = FoldedNorm(name: name, dividing: norm, by: scales, storedAs: type)
      found.append((mapping, folded.scales(from: norm)))
      norms[mapping.site] = folded
    } catch {
      throw JobFailure(error)
    }
  }

  /// What was found for a layer.
  func fold(of number: Int) -> ChannelFold {
    var fold = ChannelFold.none
    var partners: Set<Int> = [number]
    for (mapping, scales) in found {
      if mapping.readers.contains(number) {
        fold.scales.columns = scales
        fold.norm = norms[mapping.site]
      }
      if mapping.source == number { fold.scales.rows = scales.map { 1 / $0 } }
    }
    // Layers share partners: v stands between q, k and o. The found are few, and in the order of the model.
    for _ in found {
      for (mapping, _) in found where !partners.isDisjoint(with: mapping.layers) {
        partners.formUnion(mapping.layers)
      }
    }
    fold.partners = partners.subtracting([number])
    return fold
  }
}
