import ArgumentParser

/// The share of inputs that a model leaves out while it runs.
struct SparsityOption: ParsableArguments {
  @Option(
    help: """
      The share of inputs of o_proj and down_proj, the smallest, that count as zero, so that their columns are not read: \
      0 to 0.95. Thresholds are found on the calibration text.
      """)
  var inputSparsity: Double?

  func validate() throws {
    guard inputSparsity.map({ (0...0.95).contains($0) }) ?? true else {
      throw ValidationError("--input-sparsity lies between 0 and 0.95.")
    }
  }
}
