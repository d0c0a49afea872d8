/// What can take scales of a site's channels back, so that its readers may be scaled, as AWQ does it (Lin and others, 2023).
public enum ScaleSource: Hashable, Sendable {
  /// A norm's weights, by its name.
  case norm(String)
  /// The rows of a layer, by its role.
  case rows(of: Role)
}

extension ModelDescription {
  /// What takes scales of the channels at a site back; nil where nothing does, or something else reads there too.
  public func scaleSource(of site: InputSite) -> ScaleSource? {
    guard let blueprint, let block = site.block else { return nil }
    let facts = blueprint.blocks[block]
    switch site {
    case .attention:
      // What a recurrence forgets and takes in is read there too, and has no scheme of its own.
      guard facts.attention != nil, facts.norms != .after, blueprint.norm == .rms else {
        return nil
      }
      return name(of: .attentionNorm, inBlock: block).map { .norm($0) }
    case .feedForward:
      // A router reads what experts read, and has no scheme of its own.
      guard case .dense = facts.feedForward, facts.norms != .after, blueprint.norm == .rms else {
        return nil
      }
      return name(of: .feedForwardNorm, inBlock: block).map { .norm($0) }
    case .queryUp: return name(of: .queryDownNorm, inBlock: block).map { .norm($0) }
    case .latentUp:
      // A split matrix of keys has its outputs where others have inputs.
      guard facts.attention?.latent?.isSplit == false else { return nil }
      return name(of: .latentNorm, inBlock: block).map { .norm($0) }
    case .attentionOutput:
      guard let attention = facts.attention, attention.latent == nil else { return nil }
      // Values that are normalised, or keys too, or another block's, take no scales back.
      let isPlain =
        !attention.isFused && !facts.hasBias(.value) && !attention.normalizesValues
        && !attention.keysAreValues && attention.cacheBlock == nil
      return isPlain ? .rows(of: .value) : nil
    case .feedForwardOutput:
      guard case .dense(let dense) = facts.feedForward, dense.isGated, !dense.isFused,
        !facts.hasBias(.up)
      else { return nil }
      return .rows(of: .up)
    case .expertInput, .expertOutput, .sharedOutput, .perLayerInput, .perLayerOutput, .head:
      return nil
    }
  }

  private func name(of part: Part, inBlock block: Int) -> String? {
    blueprint.flatMap {
      Architecture.named(architecture)?.name(of: part, block: block, in: $0)
    }
  }
}
