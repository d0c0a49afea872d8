/// Heads in groups, such as those of values that share a key, and the two orders in which files have them.
///
/// Grouped is group after group; tiled is the first head of every group, then the second one of every group, and so on.
public struct HeadTiling: Codable, Hashable, Sendable {
  public let groups: Int
  /// Heads of a group.
  public let heads: Int

  public init(groups: Int, heads: Int) {
    self.groups = groups
    self.heads = heads
  }

  /// Where the channel at `place` of the grouped order is among the tiled ones, of `count` in all.
  public func tiled(_ place: Int, of count: Int) -> Int {
    let (head, channel, size) = parts(of: place, count)
    let (group, member) = head.quotientAndRemainder(dividingBy: heads)
    return (member * groups + group) * size + channel
  }

  /// Where the channel at `place` of the tiled order is among the grouped ones, of `count` in all.
  public func grouped(_ place: Int, of count: Int) -> Int {
    let (head, channel, size) = parts(of: place, count)
    let (member, group) = head.quotientAndRemainder(dividingBy: groups)
    return (group * heads + member) * size + channel
  }

  /// The tiled order's heads, each by its place in the grouped order.
  public var groupedHeads: [Int] {
    (0..<groups * heads).map { grouped($0, of: groups * heads) }
  }

  private func parts(of place: Int, _ count: Int) -> (head: Int, channel: Int, size: Int) {
    let size = count / (groups * heads)
    let (head, channel) = place.quotientAndRemainder(dividingBy: size)
    return (head, channel, size)
  }
}
