import Checkpoints

extension GGUFLimits {
  /// What llama.cpp computes otherwise than a model asks for, because GGUF has no words for it: a sentence each.
  ///
  /// Source: `src/models` of llama.cpp as llama-cpp-python 0.3.36 vendors it.
  /// - Parameter model: one of a Hugging Face directory; a GGUF file already says what llama.cpp reads.
  /// - Returns: none where they compute alike.
  public static func notes(on model: ModelDescription) -> [String] {
    guard model.format == .huggingFace, let blueprint = model.blueprint,
      let architecture = Architecture.named(model.architecture)
    else { return [] }
    var notes: [String] = []
    let windows = blueprint.blocks.compactMap { $0.attention?.window }
    if let window = windows.first, !architecture.hasWindowInGGUF {
      notes.append(
        "llama.cpp lets all blocks see the whole text, where \(windows.count) of "
          + "\(blueprint.blocks.count) see the last \(window) positions: it answers otherwise after those"
      )
    }
    if let router = blueprint.experts?.router, let known = architecture.routerInGGUF,
      router != known
    {
      notes.append(
        router == .softmaxOfChosen
          ? "llama.cpp does not make the weights of chosen experts add up to 1, as this model "
            + "does (norm_topk_prob): it answers otherwise"
          : "llama.cpp makes the weights of chosen experts add up to 1, as this model "
            + "does not (norm_topk_prob): it answers otherwise")
    }
    if let groups = blueprint.experts?.groups, groups.comparedCount != 2 {
      notes.append(
        "llama.cpp compares groups of experts by their two best experts, and this model by the best one: it chooses "
          + "others at times")
    }
    let activations = [blueprint.dense?.activation, blueprint.experts?.activation]
    if let other = activations.compactMap(\.self).first(where: {
      $0 != architecture.activation.standard
    }) {
      notes.append(
        "GGUF has no word for an activation, and llama.cpp takes \(architecture.activation.standard.configName), where "
          + "this model has \(other.configName): it answers otherwise")
    }
    if let attention = blueprint.attention, let latent = attention.latent {
      if latent.normEpsilon != blueprint.normEpsilon {
        notes.append(
          "llama.cpp adds \(blueprint.normEpsilon) in norms of latent rows, and this model \(latent.normEpsilon): it "
            + "answers otherwise")
      }
      if attention.scale != 1 / Float(attention.headSize).squareRoot(), !blueprint.isYarn {
        notes.append(
          "llama.cpp makes scores larger (mscale_all_dim) where YaRN stretches RoPE only: it answers otherwise"
        )
      }
      if blueprint.ropes.first?.pairing == .halves {
        notes.append(
          "llama.cpp turns neighbours, which this model does not (rope_interleave): it answers otherwise"
        )
      }
      if let amplitude = blueprint.ropes.first?.amplitude, amplitude != 1 {
        notes.append(
          "llama.cpp takes YaRN's mscale for mscale_all_dim, which this model's is not: it answers otherwise"
        )
      }
    }
    if case .long = blueprint.ropes.first?.scaling {
      notes.append(
        "llama.cpp chooses short or long factors of RoPE by the context that it is given, and "
          + "transformers by the text's length: open it with a context as long as texts are")
    }
    if case .yarn(let rule) = blueprint.ropes.first?.scaling {
      let isUsual = rule.betaFast == 32 && rule.betaSlow == 1
      if !isUsual, !architecture.hasYarnRampInGGUF {
        notes.append(
          "llama.cpp begins and ends YaRN's ramp at 32 turns and 1, which this model does not (beta_fast, "
            + "beta_slow): it answers otherwise")
      }
      if !rule.truncates {
        notes.append(
          "llama.cpp begins and ends YaRN's ramp at whole pairs, which this model does not (truncate): it answers "
            + "otherwise")
      }
    }
    if blueprint.ropes.dropFirst().contains(where: { $0.scaling != nil }) {
      notes.append(
        "llama.cpp stretches no RoPE of blocks with a window, as this model does: it answers otherwise"
      )
    }
    if let attention = blueprint.attention, architecture.attentionScaleKey != nil {
      let size = architecture.scoreSizeInGGUF(
        blocks: blueprint.blocks.count, hiddenSize: blueprint.hiddenSize,
        headCount: attention.headCount, headSize: attention.headSize)
      if attention.scale != 1 / Float(size).squareRoot() {
        notes.append(
          "llama.cpp divides scores by the root of \(size), which this model does not "
            + "(query_pre_attn_scalar): it answers otherwise")
      }
    }
    if blueprint.blocks.contains(where: { $0.attention?.readsOtherCache(in: blueprint) ?? false }) {
      notes.append(
        "llama.cpp lets the last blocks read the keys and values of the two before them, which this model does not: it "
          + "answers otherwise")
    }
    if let every = architecture.blockWithoutRope,
      blueprint.blocks.enumerated().contains(where: {
        ($0.element.attention?.rope == nil) != (($0.offset + 1) % every == 0)
      })
    {
      notes.append(
        "llama.cpp takes every block but each \(every)th for one with RoPE, which this model does "
          + "not (no_rope_layers): it answers otherwise")
    }
    return notes
  }
}

extension Blueprint {
  /// Whether YaRN stretches RoPE.
  fileprivate var isYarn: Bool {
    if case .yarn? = ropes.first?.scaling { true } else { false }
  }
}

extension AttentionFacts {
  /// Whether llama.cpp takes the keys and values of another block: with a window of the last but one before those that share,
  /// else of the last.
  fileprivate func readsOtherCache(in blueprint: Blueprint) -> Bool {
    guard let cacheBlock else { return false }
    let first = blueprint.blocks.firstIndex { $0.attention?.cacheBlock != nil } ?? 0
    return cacheBlock != first - (window == nil ? 1 : 2)
  }
}
