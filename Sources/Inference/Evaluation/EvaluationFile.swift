import FoundationEssentials

/// What a program elsewhere measured of a model beside its original: sums of each window, from which figures and standard
/// errors follow as for an evaluation here.
public struct EvaluationFile: Hashable, Sendable {
  /// Most bytes of a file.
  public static let sizeLimit = 256 << 20

  /// The text that was read, by name.
  public let text: String
  public let summary: EvaluationSummary

  private struct Contents: Decodable {
    let format: String
    let version: Int
    let text: String
    let windows: [Window]
  }

  private struct Window: Decodable {
    let count: Int
    let referenceLoss: Double
    let loss: Double
    let squaredChanges: Double
    let agreements: Double
    let divergences: [Double]

    /// Whether a model can have these figures.
    var isPossible: Bool {
      count > 0 && divergences.count == count && (0...Double(count)).contains(agreements)
        && (divergences + [referenceLoss, loss, squaredChanges]).allSatisfy {
          $0.isFinite && $0 >= 0
        }
    }
  }

  /// Why a file is none of an evaluation, in a clause.
  public struct Flaw: Error, Hashable, Sendable {
    public let reason: String
  }

  /// What was found on a text, as if a file said it.
  public init(text: String, summary: EvaluationSummary) {
    (self.text, self.summary) = (text, summary)
  }

  /// Reads a file's contents.
  ///
  /// - Throws: ``Flaw`` for what is no evaluation, of another version, or tells impossible figures.
  public init(_ contents: String) throws(Flaw) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let read = try? decoder.decode(Contents.self, from: Data(contents.utf8)),
      read.format == "vise-evaluation"
    else { throw Flaw(reason: "is no evaluation that a job of Vise's made") }
    guard read.version == 1 else {
      throw Flaw(reason: "has version \(read.version) of the format, and this Vise reads 1")
    }
    let counts = Set(read.windows.map(\.count))
    guard counts.count == 1, read.windows.allSatisfy(\.isPossible) else {
      throw Flaw(reason: "tells windows of different length, or figures that no model has")
    }
    let scores = Scores(
      read.windows.map {
        WindowScores(
          count: $0.count, referenceLoss: $0.referenceLoss, compressedLoss: $0.loss,
          squaredChanges: $0.squaredChanges, agreements: $0.agreements, divergences: $0.divergences)
      })
    guard let summary = scores.summary else { throw Flaw(reason: "tells of no window") }
    (text, self.summary) = (read.text, summary)
  }
}
