import FoundationEssentials

/// What a person may have meant by a name that nothing has.
enum NearMisses {
  /// The nearest of `names`, best first; none if all are far.
  static func of(_ name: String, among names: [String], limit: Int = 3) -> [String] {
    let wanted = Array(name.lowercased().unicodeScalars)
    guard wanted.count >= 2, wanted.count <= 200 else { return [] }
    let reach = max(1, wanted.count / 4)
    let ranked = names.compactMap { candidate -> (rank: Int, name: String)? in
      let other = Array(candidate.lowercased().unicodeScalars)
      guard other.count <= 200 else { return nil }
      if other.starts(with: wanted) { return (other.count == wanted.count ? 0 : 1, candidate) }
      let distance = distance(wanted, other)
      return distance <= reach ? (1 + distance, candidate) : nil
    }
    return ranked.sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }.prefix(limit).map(\.name)
  }

  /// The nearest paths to one where nothing is: names in the deepest folder of it that is there.
  static func ofPath(_ path: String) -> [String] {
    var (parent, name) = PathName.split(
      path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
    var rest = ""
    let files = FileManager.default
    while (try? files.contentsOfDirectory(atPath: parent)) == nil, parent != ".", parent != "/" {
      rest = "/" + name + rest
      (parent, name) = PathName.split(parent)
    }
    let names = (try? files.contentsOfDirectory(atPath: parent)) ?? []
    let folder = parent == "." ? "" : parent == "/" ? "/" : parent + "/"
    return of(name, among: names).map { near in
      let whole = folder + near + rest
      return files.fileExists(atPath: whole) ? whole : folder + near
    }
  }

  /// How many insertions, deletions, replacements and swaps of neighbours lead from one to the other.
  private static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
    var (older, old) = ([Int](), Array(0...second.count))
    for (i, scalar) in first.enumerated() {
      var new = [i + 1]
      for (j, other) in second.enumerated() {
        var least = min(old[j + 1] + 1, new[j] + 1, old[j] + (scalar == other ? 0 : 1))
        if i > 0, j > 0, scalar == second[j - 1], first[i - 1] == other {
          least = min(least, older[j - 1] + 1)
        }
        new.append(least)
      }
      (older, old) = (old, new)
    }
    return old[second.count]
  }
}
