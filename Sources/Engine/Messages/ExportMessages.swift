import Export

/// What to export of the current plan, and where to.
public struct ExportRequest: Codable, Hashable, Sendable {
  public var format: ExportFormat
  /// Who is to load it; decides what a format may hold.
  public var target: ExportTarget
  /// The directory that is made; for GGUF the file.
  public var path: String
  /// Whether what is there already may be replaced.
  public var replaces: Bool
  /// What a report says beside what the engine knows.
  public var notes: ReportNotes
  /// Whether a receipt is written beside tensors.
  public var writesReceipt: Bool

  public init(
    format: ExportFormat, target: ExportTarget, path: String, replaces: Bool = false,
    notes: ReportNotes = ReportNotes(), writesReceipt: Bool = false
  ) {
    self.format = format
    self.target = target
    self.path = path
    self.replaces = replaces
    self.notes = notes
    self.writesReceipt = writesReceipt
  }
}

/// What was measured and asked before a report is written, for the report to tell.
public struct ReportNotes: Codable, Hashable, Sendable {
  public var figures: [ReportFigure]
  /// Mean KLD of the plan in nats a token, as measured; nil where it was not.
  public var divergence: Double?
  /// Other plans to compare with, such as snapshots.
  public var marks: [ReportFrontier.Point]
  public var answers: [ReportAnswer]

  public init(
    figures: [ReportFigure] = [], divergence: Double? = nil, marks: [ReportFrontier.Point] = [],
    answers: [ReportAnswer] = []
  ) {
    self.figures = figures
    self.divergence = divergence
    self.marks = marks
    self.answers = answers
  }
}

/// A file of an export and the bytes that it takes, exactly.
public struct ExportedFile: Codable, Hashable, Sendable {
  /// Relative to the export's directory.
  public var name: String
  public var bytes: Int

  public init(name: String, bytes: Int) {
    self.name = name
    self.bytes = bytes
  }
}

/// What an export would write, known before any work.
public struct ExportPreview: Codable, Hashable, Sendable {
  public var request: ExportRequest
  public var files: [ExportedFile]
  /// What the target cannot hold, by layer; nothing can be exported before these are settled.
  public var refusals: [ExportRefusal]
  /// Why nothing can be exported for another reason, in one sentence that says what to do; nil for none.
  public var obstacle: String?
  /// What the target computes otherwise than the model asks for: a sentence each.
  public var notes: [String]

  public init(
    request: ExportRequest, files: [ExportedFile], refusals: [ExportRefusal] = [],
    obstacle: String? = nil, notes: [String] = []
  ) {
    self.request = request
    self.files = files
    self.refusals = refusals
    self.obstacle = obstacle
    self.notes = notes
  }

  /// Bytes of all files.
  public var bytes: Int { files.reduce(0) { $0 + $1.bytes } }
}
