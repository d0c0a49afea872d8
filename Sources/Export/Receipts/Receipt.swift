import Foundation
import Tensors

/// What an export was made from and by, and what was measured of it: enough to make and to measure it again.
///
/// It says no time and no machine: the same export has the same receipt.
public struct Receipt: Codable, Hashable, Sendable {
  /// A file's contents: bytes, and XXH64 in hexadecimal digits, as `xxhsum -H64` prints it.
  public struct File: Codable, Hashable, Sendable {
    /// Relative to the export's directory; of texts the path.
    public var name: String
    public var bytes: Int
    public var xxh64: String

    public init(name: String, bytes: Int, xxh64: String) {
      self.name = name
      self.bytes = bytes
      self.xxh64 = xxh64
    }
  }

  /// The checkpoint that was exported.
  public struct Source: Codable, Hashable, Sendable {
    public var path: String
    /// Of what its headers say and its tensors hold, as plans carry it.
    public var fingerprint: String
    /// Of all its tensors.
    public var bytes: Int

    public init(path: String, fingerprint: String, bytes: Int) {
      self.path = path
      self.fingerprint = fingerprint
      self.bytes = bytes
    }
  }

  /// A text that layers were fitted to.
  public struct Calibration: Codable, Hashable, Sendable {
    public var text: File
    public var tokens: Int
    /// Tokens of a window.
    public var window: Int

    public init(text: File, tokens: Int, window: Int) {
      self.text = text
      self.tokens = tokens
      self.window = window
    }
  }

  /// The exported model beside the checkpoint, both reading the same windows of a text.
  public struct Measurement: Codable, Hashable, Sendable {
    public var text: File
    /// Tokens of a window as they were asked for, and most windows; nil for what is usual, and for the whole text.
    public var window: Int?
    public var windowLimit: Int?
    /// Tokens that were scored, in so many windows.
    public var tokens: Int
    public var windows: Int
    /// By name, in the order of names.
    public var figures: [String: Figure]

    public init(
      text: File, window: Int?, windowLimit: Int?, tokens: Int, windows: Int,
      figures: [String: Figure]
    ) {
      self.text = text
      self.window = window
      self.windowLimit = windowLimit
      self.tokens = tokens
      self.windows = windows
      self.figures = figures
    }
  }

  public struct Figure: Codable, Hashable, Sendable {
    public var value: Double
    /// Over windows; nil for a single one.
    public var standardError: Double?

    public init(value: Double, standardError: Double?) {
      self.value = value
      self.standardError = standardError
    }
  }

  /// Of the receipt's form.
  public var vise = 1
  /// The program's version.
  public var version: String
  public var format: ExportFormat
  public var target: ExportTarget
  public var source: Source
  /// In YAML.
  public var plan: String
  public var calibration: Calibration?
  public var files: [File]
  public var measured: [Measurement] = []

  public init(
    version: String, format: ExportFormat, target: ExportTarget, source: Source, plan: String,
    calibration: Calibration?, files: [File]
  ) {
    self.version = version
    self.format = format
    self.target = target
    self.source = source
    self.plan = plan
    self.calibration = calibration
    self.files = files
  }
}

extension Receipt {
  /// Where an export's receipt is: in its directory, or beside its file.
  public static func path(ofExport path: String) -> String {
    let isDirectory = (try? FileSystem.kind(of: path + "/.")) == .directory
    return isDirectory ? "\(path)/vise-receipt.json" : "\(path).receipt.json"
  }

  /// Most bytes of a receipt; the largest plans take a few.
  private static let limit = 64 << 20

  /// Reads the receipt of the export at a path.
  ///
  /// - Throws: ``ExportError`` that names the receipt when there is none, or it cannot be understood.
  public init(ofExport export: String) throws(ExportError) {
    let path = Self.path(ofExport: export)
    guard (try? FileSystem.kind(of: path)) != nil else {
      throw .file(
        path: export, tensor: nil,
        reason:
          "has no receipt: \(path) is not there, which exports write unless --no-receipt is given")
    }
    let text: String
    do { text = try TextFile.read(path, limit: Self.limit, as: "receipt") } catch {
      throw ExportError(error)
    }
    do {
      self = try JSONDecoder().decode(Receipt.self, from: Data(text.utf8))
    } catch {
      throw .file(path: path, tensor: nil, reason: "is no receipt of an export: \(error.plain)")
    }
    guard vise == 1 else {
      throw .file(
        path: path, tensor: nil, reason: "is of a later version of Vise; update to read it")
    }
    // Names lead to files: none may lead out of the export.
    guard files.allSatisfy({ !$0.name.hasPrefix("/") && !$0.name.contains("..") }) else {
      throw .file(path: path, tensor: nil, reason: "names files outside of the export")
    }
  }

  /// Writes it to where ``init(ofExport:)`` reads it.
  public func write(besideExport export: String) throws(ExportError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let path = Self.path(ofExport: export)
    do {
      let text = try encoder.encode(self)
      try OutputFile.write(Array(text) + [0x0A], to: path)
    } catch let error as StorageError {
      throw ExportError(error)
    } catch {
      throw .file(path: path, tensor: nil, reason: error.plain)
    }
  }
}

extension Error {
  /// What a decoder or an encoder complains of, in a clause.
  fileprivate var plain: String {
    switch self as? DecodingError {
    case .keyNotFound(let key, _): "\(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "\(context.codingPath.last?.stringValue ?? "the file") is of another kind"
    default: "it is damaged"
    }
  }
}
