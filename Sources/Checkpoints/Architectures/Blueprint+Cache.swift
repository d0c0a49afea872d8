import Tensors

extension AttentionFacts {
  /// Bytes that the keys and values of one position take.
  public func cacheBytes(as type: CacheType) -> Int {
    keyValueHeadCount * (type.bytes(ofHead: headSize) + type.bytes(ofHead: valueSize))
  }
}

extension Blueprint {
  /// Bytes that the keys and values of a sequence take in all blocks, positions that a window no longer sees included.
  public func cacheBytes(positions: Int, as type: CacheType) -> Int {
    positions * blocks.reduce(0) { $0 + $1.attention.cacheBytes(as: type) }
  }
}
