/// Where what outlives a session is kept.
public enum StateDirectory {
  /// `$XDG_STATE_HOME/vise`, or `~/.local/state/vise`; nil where the environment names neither.
  public static func path(in environment: [String: String]) -> String? {
    if let path = environment["XDG_STATE_HOME"], path.hasPrefix("/") { return "\(path)/vise" }
    return environment["HOME"].map { "\($0)/.local/state/vise" }
  }
}
