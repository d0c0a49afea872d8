import Tensors

extension AttentionFacts {
  /// Bytes that the keys and values of one position take; none where another block's are read.
  public func cacheBytes(as type: CacheType) -> Int {
    guard cacheBlock == nil else { return 0 }
    return keyValueHeadCount * (type.bytes(ofHead: headSize) + type.bytes(ofHead: valueSize))
  }
}

extension Blueprint {
  /// Bytes that the keys and values of a sequence take in all blocks, positions that a window no longer sees included, and what
  /// recurrences keep of it, however long it is.
  public func cacheBytes(positions: Int, as type: CacheType) -> Int {
    blocks.reduce(0) { sum, block in
      switch block.mixer {
      case .attention(let attention): sum + positions * attention.cacheBytes(as: type)
      case .delta, .convolution, .mamba: sum + MemoryLayout<Float>.size * block.mixer.stateValues
      }
    }
  }
}
