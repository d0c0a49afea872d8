import FoundationEssentials

/// The text to calibrate on where nobody named one.
public enum CalibrationText {
  /// Where the text is that comes with Vise.
  public static let folder = "Samples"

  /// `calibration.txt` beside the model, or the one in `samples`; nil if neither can be read.
  public static func standard(forModelAt path: String, or samples: String = folder) -> String? {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let beside = folder.isEmpty ? "calibration.txt" : "\(folder)/calibration.txt"
    return ["\(path)/calibration.txt", beside, "\(samples)/calibration.txt"]
      .first { FileManager.default.isReadableFile(atPath: $0) }
  }
}
