import Testing

/// How `vise` ends, which scripts rely on.
@Suite struct ExitStatusTests {
  private let model: TinyModel

  init() throws { model = try TinyModel(contextLength: 1 << 16) }

  private func expectFailure(
    _ arguments: [String], status: Int32, says: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try ViseProcess(arguments)
    #expect(run.status == status, sourceLocation: sourceLocation)
    #expect(run.output.isEmpty, sourceLocation: sourceLocation)
    #expect(run.errors.hasPrefix("vise: error: "), sourceLocation: sourceLocation)
    #expect(run.errors.contains(says), "\(run.errors)", sourceLocation: sourceLocation)
  }

  @Test func helpAndItsListOfStatusesGoToStandardOutput() throws {
    let run = try ViseProcess(["--help"])
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    for line in ["64  the command line is wrong", "66  the model cannot be opened"] {
      #expect(run.output.contains(line))
    }
  }

  @Test(arguments: [
    (["inspect"], "path"),
    (["preview", "MODEL"], "--bits"),
    (["preview", "MODEL", "--plan", "p.yaml", "--bits", "4"], "either"),
    (["preview", "MODEL", "--bits", "four"], "four"),
    (["preview", "MODEL", "--sparsity", "2:x"], "2:x"),
    (["generate", "MODEL"], "--prompt"),
    (["generate", "MODEL", "--prompt", "a", "--compare"], "--plan"),
    (["generate", "MODEL", "--prompt", "a", "--tokens", "0"], "--tokens"),
    (["generate", "MODEL", "--prompt", "a", "--temperature", "-1"], "--temperature"),
    (["generate", "MODEL", "--prompt", "a", "--top-p", "2"], "--top-p"),
    (["evaluate", "MODEL"], "--text"),
    (["evaluate", "MODEL", "--text", "t", "--windows", "0"], "--windows"),
    (["logits", "MODEL", "--text", "t"], "--output"),
    (["logits", "MODEL", "--text", "t", "--output", "o", "--tokens", "2"], "--tokens"),
    (["inspect", "MODEL", "--frobnicate"], "--frobnicate"),
  ])
  func wrongCommandLine(arguments: [String], says: String) throws {
    try expectFailure(
      arguments.map { $0 == "MODEL" ? model.path : $0 }, status: 64, says: says)
  }

  @Test func ruleWithoutLayersIsAWarning() throws {
    let plan = try model.write(
      "vise: 1\nfingerprint: abc\nrules:\n  - layers: \"*.atn_q\"\n    bits: 4\n", to: "odd.yaml")
    let run = try ViseProcess(["preview", model.path, "--plan", plan])
    #expect(run.status == 0)
    #expect(run.errors.contains("vise: warning: \(plan): no layer is called *.atn_q"))
    #expect(run.errors.contains("vise: warning: \(plan): made for another checkpoint"))
  }

  @Test func wrongPlanNamesFileAndLine() throws {
    let plan = try model.write(
      "vise: 1\nrules:\n  - layers: \"*\"\n    bits: 9\n", to: "bad.yaml")
    for command in [
      ["preview"], ["generate", "--prompt", "a"], ["evaluate", "--text", plan],
    ] {
      try expectFailure(
        [command[0], model.path] + command.dropFirst() + ["--plan", plan], status: 65,
        says: "\(plan): line 4")
    }
    try expectFailure(
      ["preview", model.path, "--plan", model.path + "/none"], status: 65, says: "/none")
  }

  @Test func planThatDoesNotFitSaysWhatWould() throws {
    try expectFailure(
      ["preview", model.path, "--bits", "4", "--group", "128"], status: 65, says: "16, 32")
  }

  @Test func unreadableModel() throws {
    try expectFailure(["inspect", model.path + "/none"], status: 66, says: "/none")
    let text = try model.write("not a model", to: "model.gguf")
    try expectFailure(["inspect", text], status: 66, says: "model.gguf")
  }

  @Test func failedWork() throws {
    try expectFailure(
      ["evaluate", model.path, "--text", model.path + "/none"], status: 1, says: "/none")
  }

  @Test func controlCEndsAnAnswer() throws {
    let run = try ViseProcess(
      ["generate", model.path, "--prompt", "a", "--raw", "--tokens", "60000"], interrupts: true)
    #expect(run.status == 130)
    #expect(run.errors == "vise: error: cancelled\n")
    #expect(run.output.hasSuffix("\n"))
  }
}
