import ArgumentParser
import Compression
import Export
import Tensors

/// `vise targets`: who can load what.
struct TargetsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "targets",
    abstract: "Lists the targets of exports and what each can hold.",
    discussion: """
      --json: targets[] of target, name, format, integers[] of widths, groups, takes_channels, \
      takes_zero_points, rounds_inputs, extra; blocks (GGUF's types), floats, fuses_layers, zeros_shrink, \
      embedding.
      """)

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    if json {
      try JSONOutput.write(TargetsResult(targets: TargetLimits.all))
    } else {
      OutputStream.standard.write(Self.text)
    }
  }

  private static var text: String {
    TargetLimits.all.map { limits in
      var lines = ["\(limits.target.rawValue): \(limits.name), loads \(limits.format.rawValue)"]
      lines += limits.integers.map { "  \($0.summary)" }
      if !limits.blocks.isEmpty {
        lines.append("  " + limits.blocks.map(\.rawValue).joined(separator: " "))
      }
      if !limits.floats.isEmpty {
        lines.append("  " + limits.floats.map(\.rawValue).joined(separator: " "))
      }
      if let embedding = limits.embedding { lines.append("  embedding: \(embedding)") }
      if limits.fusesLayers { lines.append("  q, k, v of a block are alike; gate, up are alike") }
      lines.append("  zeros of pruned layers save \(limits.zerosShrink ? "bytes" : "nothing")")
      return lines.joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }
}

/// What `vise targets --json` prints.
private struct TargetsResult: Encodable {
  let targets: [TargetLimits]
}

extension IntegerLimits {
  /// For example `4, 8 bits; groups of 32, 64, 128 or a channel; zero points or none`.
  fileprivate var summary: String {
    let sizes = groups.map(String.init).joined(separator: ", ")
    let spans =
      groups.isEmpty
      ? "one scale a channel" : "groups of \(sizes)\(takesChannels ? " or a channel" : "")"
    var parts = ["\(widths.map(String.init).joined(separator: ", ")) bits", spans]
    parts.append(takesZeroPoints ? "with zero points or without" : "without zero points")
    if roundsInputs { parts.append("inputs are rounded to 8 bits") }
    if let extra { parts.append("needs \(extra)") }
    return parts.joined(separator: "; ")
  }
}
