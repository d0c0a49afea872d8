import Tensors
import Testing

@testable import Checkpoints

/// Keys of GGUF metadata beyond those that a blueprint is made of; what counts is what llama.cpp reads.
struct GGUFReviewTests {
  private func description(
    _ change: (inout GGUFBuilder) -> Void
  ) throws -> ModelDescription {
    var builder = GGUFBuilder.llama()
    change(&builder)
    return try TestFiles.withDirectory { directory in
      let path = "\(directory)/model.gguf"
      try TestFiles.write(builder.bytes, to: path)
      return try Checkpoint.open(path).description
    }
  }

  private func plain() throws -> Blueprint? { try description { _ in }.blueprint }

  @Test(arguments: [
    "llama.attention.scale", "llama.logit_scale", "llama.attn_logit_softcapping",
    "llama.residual_scale", "llama.attention.clamp_kqv", "llama.rope.scaling.yarn_beta_fast",
    "llama.frobnication",
  ])
  func whatLlamaCppDoesNotReadIsNotedAndNotComputedWith(key: String) throws {
    let model = try description { $0.set(key, .float32(0.5)) }
    #expect(model.blueprint == (try plain()))
    #expect(
      model.notes == [
        "the metadata say \(key) 0.5, which llama.cpp does not read for llama: computed without"
      ])
    let off = try description { $0.set(key, .float32(0)) }
    #expect(off.notes.isEmpty)
  }

  @Test func whatIsNotHonouredIsRefusedByName() throws {
    for (key, value) in [
      ("llama.attention.causal", GGUFBuilder.Value.bool(false)),
      ("llama.nextn_predict_layers", .uint32(1)),
    ] {
      let model = try description { $0.set(key, value) }
      #expect(model.abilities.runningObstacle?.contains(key) == true)
      #expect(model.abilities.names == ["weights"])
    }
  }

  @Test func ropeIsStretchedAsInLlamaCpp() throws {
    func rope(_ change: (inout GGUFBuilder) -> Void) throws -> RopeFacts {
      try #require(try description(change).blueprint?.ropes.first)
    }
    func stretched(_ type: String?) throws -> RopeFacts {
      try rope {
        if let type { $0.set("llama.rope.scaling.type", .string(type)) }
        $0.set("llama.rope.scaling.factor", .float32(4))
      }
    }
    // A factor without a type is linear, and so is one whose lists of factors are not there.
    for type in [nil, "linear", "longrope"] {
      #expect(try stretched(type).scaling == .linear(factor: 4), "\(type ?? "no type")")
    }
    #expect(try stretched("none").scaling == nil)
    #expect(
      try rope { $0.set("llama.rope.scale_linear", .float32(4)) }.scaling == .linear(factor: 4))
    #expect(try rope { $0.set("llama.rope.scaling.attn_factor", .float32(1.5)) }.amplitude == 1.5)
    // Its ramp is llama.cpp's, whatever a file says.
    let ramp = try rope {
      $0.set("llama.rope.scaling.type", .string("yarn"))
      $0.set("llama.rope.scaling.factor", .float32(4))
      $0.set("llama.rope.scaling.yarn_beta_fast", .float32(8))
    }
    guard case .yarn(let rule)? = ramp.scaling else {
      Issue.record("no YaRN")
      return
    }
    #expect(rule.betaFast == 32 && rule.betaSlow == 1)
  }
}
