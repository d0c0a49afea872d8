import Testing

@testable import Serving

/// Logs as jobs write them: with progress bars, names of tasks, and ends that are still missing.
@Suite struct JobLogTests {
  @Test func linesAreReadAsTheyGrow() {
    let whole = "one\ntwo\n\nthree"
    var log = JobLog()
    var lines: [String] = []
    for length in 0...whole.count { lines += log.take(String(whole.prefix(length))) }
    #expect(lines == ["one", "two", ""])
    #expect(log.take(whole, isOver: true) == ["three"])
    #expect(log.take(whole, isOver: true) == [])
  }

  @Test func aLogThatBeginsAnewIsReadAnew() {
    var log = JobLog()
    #expect(log.take("first\nsecond\n").count == 2)
    #expect(log.take("other\n") == ["other"])
    #expect(log.take("other\nlines\nand more of them\n") == ["lines", "and more of them"])
    #expect(log.take("quite\nanother\nlog that is longer than it was\n").count == 3)
  }

  @Test func ofProgressBarsTheLastStateCounts() {
    var log = JobLog()
    let lines = log.take(
      "vise: step 1/2 compress\n(3/31): Calibrating:  0%\r(3/31): Calibrating: 100%|##| 8/8\n")
    #expect(lines.last == "(3/31): Calibrating: 100%|##| 8/8")
    #expect(log.progress?.text == "compress 3/31 blocks (1 of 2)")
  }

  @Test func ownLinesTellProgress() {
    var log = JobLog()
    _ = log.take("vise: step 2/2 evaluate\nvise: original 3/8 windows\n")
    #expect(log.progress?.text == "original 3/8 windows (2 of 2)")
    var text = "vise: step 2/2 evaluate\nvise: original 3/8 windows\n"
    text += "(windows_sums pid=71) vise: gradients 2/9 groups of windows\n"
    _ = log.take(text)
    #expect(log.progress?.done == 2 && log.progress?.unit == "groups of windows")
    _ = log.take(text + "vise: nonsense\nvise: evaluate 9/3 windows\nvise: x y/z\n")
    #expect(log.progress?.done == 2)
  }

  @Test func nothingInALogActsOnATerminal() {
    var log = JobLog()
    let lines = log.take("\u{1B}[36m(pid)\u{1B}[0m \u{1B}]0;title\u{7} \u{202E}\tx\n")
    #expect(lines.count == 1 && lines[0].hasPrefix("(pid) "))
    #expect(lines[0].unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
  }

  @Test func aServersAddressIsFound() throws {
    var log = JobLog()
    let announced = "(APIServer pid=5) INFO 12-01 Starting vLLM server on http://0.0.0.0:8000\n"
    _ = log.take(announced)
    #expect(log.servedURL == nil)
    _ = log.take(announced + "(APIServer pid=5) INFO:     Application startup complete.\n")
    #expect(log.servedURL == "http://0.0.0.0:8000")
    let address = try ClusterAddress("https://head.example/ray")
    #expect(address.reached("http://0.0.0.0:8000") == "http://head.example:8000")
    #expect(address.reached("http://other:8000") == "http://other:8000")
  }

  @Test(arguments: [
    ("plain-1.2/x~=", "plain-1.2/x~="), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"),
    ("$(reboot)", "'$(reboot)'"), ("a;b", "'a;b'"), ("ü", "'ü'"),
  ])
  func wordsAreQuotedForAShell(_ word: String, _ quoted: String) {
    #expect(JobSubmission.quoted(word) == quoted)
  }

  @Test func aSubmissionIsWhatRayTakes() {
    var job = JobSubmission(
      id: "vise_a", entrypoint: "python job.py", package: "_ray_pkg_1.zip", variables: ["A": "1"],
      notes: ["n": "m"])
    #expect(
      String(decoding: job.body, as: UTF8.self)
        == #"{"entrypoint":"python job.py","submission_id":"vise_a","runtime_env":"#
        + #"{"working_dir":"gcs://_ray_pkg_1.zip","env_vars":{"A":"1"}},"metadata":{"n":"m"}}"#)
    job.gpus = 2
    #expect(String(decoding: job.body, as: UTF8.self).contains(#""entrypoint_num_gpus":2"#))
    #expect(JobSubmission.makeID() != JobSubmission.makeID())
  }
}
