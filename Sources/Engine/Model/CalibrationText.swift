import FoundationEssentials

/// The text to calibrate on where nobody named one.
public enum CalibrationText {
  /// `calibration.txt` beside the model, or the one that comes with Vise; nil if neither can be read.
  public static func standard(forModelAt path: String) -> String? {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let beside = folder.isEmpty ? "calibration.txt" : "\(folder)/calibration.txt"
    return ["\(path)/calibration.txt", beside, "Samples/calibration.txt"]
      .first { FileManager.default.isReadableFile(atPath: $0) }
  }
}
