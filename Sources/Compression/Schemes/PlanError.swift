/// Why a plan cannot be read or carried out, and where it says so.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The plan file's path; callers that read one fill it in.
  public var file: String?
  /// Line in the plan's YAML, from 1.
  public var line: Int?
  /// The rule, by what it says after `layers:`.
  public var rule: String?
  /// The layer that the rule cannot apply to.
  public var layer: String?
  /// What is wrong and what would be right, in one sentence.
  public var reason: String

  public init(
    file: String? = nil, line: Int? = nil, rule: String? = nil, layer: String? = nil,
    reason: String
  ) {
    self.file = file
    self.line = line
    self.rule = rule
    self.layer = layer
    self.reason = reason
  }

  public var description: String {
    var parts: [String] = []
    if let file = file { parts.append(file) }
    if let line = line { parts.append("line \(line)") }
    if let rule = rule { parts.append("rule \(rule)") }
    if let layer = layer { parts.append(layer) }
    return (parts + [reason]).joined(separator: ": ")
  }
}
