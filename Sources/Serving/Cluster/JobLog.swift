import Text

/// How far a job on a cluster is, as its log says.
public struct ClusterProgress: Codable, Hashable, Sendable {
  /// What it does: `compress`, `evaluate`.
  public var step: String
  /// Which of how many steps; 0 of 0 where the log does not say.
  public var stepNumber = 0
  public var stepCount = 0
  public var done = 0
  public var total = 0
  /// What is counted: `windows`, `blocks`.
  public var unit = ""

  public init(step: String) { self.step = step }

  /// Takes over how much is done.
  fileprivate mutating func count(_ count: (done: Int, total: Int), _ unit: String) {
    (done, total, self.unit) = (count.done, count.total, unit)
  }

  /// For people: `evaluate 3/32 windows (2 of 2)`.
  public var text: String {
    let count = total > 0 ? " \(done)/\(total) \(unit)" : ""
    return step + count + (stepCount > 1 ? " (\(stepNumber) of \(stepCount))" : "")
  }
}

/// The log of a job, read as it grows: complete lines that are new, and the progress that they tell.
public struct JobLog: Hashable, Sendable {
  public private(set) var progress: ClusterProgress?
  /// Where a server answers that the job has started; nil before it does.
  public private(set) var servedURL: String?
  /// Where that server says that it will answer.
  private var announcedURL: String?
  /// Bytes of the log that were read.
  private var read = 0
  /// The end of what was read, to know a log that begins anew.
  private var tail: [UInt8] = []

  /// Most characters of a line.
  private static let lineLimit = 2000

  public init() {}

  /// Takes the whole log as it is now.
  ///
  /// - Parameters:
  ///   - text: All that the job has written.
  ///   - isOver: Whether nothing follows, so that a last line needs no end.
  /// - Returns: The lines that are new, fit for a terminal. Of what carriage returns rewrite only the last state counts.
  public mutating func take(_ text: String, isOver: Bool = false) -> [String] {
    let bytes = Array(text.utf8)
    let seen = read - tail.count
    if bytes.count < read || !bytes[seen..<read].elementsEqual(tail) { (read, tail) = (0, []) }
    let rest = bytes[read...]
    let end =
      isOver ? rest.endIndex : (rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? read)
    guard end > read else { return [] }
    var lines: [String] = []
    for line in bytes[read..<end].split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    {
      let state = Self.lastState(line)
      note(state)
      lines.append(DisplayText.spelled(String(state.prefix(Self.lineLimit)), isLine: true))
    }
    // What follows the last line feed is no line.
    if lines.last == "" { lines.removeLast() }
    read = end
    tail = Array(bytes[..<end].suffix(64))
    return lines
  }

  /// What is left of a line after progress bars have rewritten it.
  private static func lastState(_ line: ArraySlice<UInt8>) -> String {
    let states = line.split(separator: UInt8(ascii: "\r"))
    let text = String(decoding: states.last ?? [], as: UTF8.self)
    return withoutColours(text).replacing("\t", with: "  ")
  }

  /// A line without the sequences that colour a terminal.
  private static func withoutColours(_ line: String) -> String {
    line.contains("\u{1B}") ? line.replacing(#/\u{1B}\[[0-9;?]*[A-Za-z]/#, with: "") : line
  }
}

extension JobLog {
  /// Takes over what a line tells of progress.
  private mutating func note(_ line: String) {
    // Lines of tasks begin with the task's name and process in brackets.
    let line = line.replacing(#/^\([^)]* pid=[^)]*\) /#, with: "")
    if line.hasPrefix("vise: ") {
      noteOwn(line.dropFirst(6).split(separator: " "))
    } else if progress?.step == "compress", let block = Self.block(in: line) {
      progress?.count(block, "blocks")
    }
    if let address = Self.address(in: line) { announcedURL = address }
    // Uvicorn's line, after which requests are taken.
    if line.contains("Application startup complete") { servedURL = announcedURL }
  }

  /// `step 1/2 compress`, or `evaluate 3/32 windows`.
  private mutating func noteOwn(_ words: [Substring]) {
    guard words.count >= 2, let count = Self.count(words[1]) else { return }
    if words[0] == "step", words.count == 3 {
      var begun = ClusterProgress(step: String(words[2]))
      (begun.stepNumber, begun.stepCount) = count
      progress = begun
      return
    }
    var current = progress ?? ClusterProgress(step: "")
    current.step = String(words[0])
    current.count(count, words.dropFirst(2).joined(separator: " "))
    progress = current
  }

  private static func count(_ word: Substring) -> (done: Int, total: Int)? {
    let parts = word.split(separator: "/").compactMap { Int($0) }
    return parts.count == 2 && (0...parts[1]).contains(parts[0]) ? (parts[0], parts[1]) : nil
  }

  /// The block that llm-compressor is at: its pipeline writes `(3/31): Calibrating: 100%|…`.
  private static func block(in line: String) -> (done: Int, total: Int)? {
    guard let match = line.firstMatch(of: #/\((\d+)/(\d+)\): (Calibrating|Propagating)/#),
      let done = Int(match.1), let total = Int(match.2), done <= total
    else { return nil }
    return (done, total)
  }

  /// Where vLLM says that it answers: `Starting vLLM server on http://0.0.0.0:8000`.
  private static func address(in line: String) -> String? {
    guard let match = line.firstMatch(of: #/Starting vLLM.*server.* on (https?://[^\s]+)/#) else {
      return nil
    }
    return DisplayText.line(String(match.1))
  }
}
