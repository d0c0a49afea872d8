import CKernels

extension Tiles {
  /// Above this share of the bytes of all codes, and of those of a few tiles, leaving zeros out saves too little.
  private static let (most, mostOfFew) = (0.8, 0.85)
  /// Tiles that are counted before all are.
  private static let few = 16

  /// The same matrix without codes that stand for zero; itself where these are few, or where reading them is faster than
  /// spreading the others out.
  func withoutZeros(on pool: WorkerPool?) -> Tiles {
    guard Kernels.skipsZeros, isSparsable else { return self }
    let counting = Counting(view: view)
    let step = max(1, layout.tileCount / Self.few)
    let places = Array(stride(from: 0, to: layout.tileCount, by: step))
    let counted = places.reduce(0) { $0 + counting.bytes(ofTile: $1) }
    guard Double(counted) <= Self.mostOfFew * Double(places.count * layout.tileBytes) else {
      return self
    }
    let bytes =
      pool?.map(count: layout.tileCount, counting.bytes(ofTile:))
      ?? (0..<layout.tileCount).map(counting.bytes(ofTile:))
    let all = bytes.reduce(0, +)
    let dense = layout.tileCount * layout.tileBytes
    guard Double(all) <= Self.most * Double(dense) else { return self }
    return Tiles(withoutZerosOf: self, bytes: bytes, on: pool)
  }

  private struct Counting: @unchecked Sendable {
    // Unchecked: tiles do not change, and live as long as their method runs.
    let view: vk_tiles

    func bytes(ofTile tile: Int) -> Int {
      var view = view
      return vk_sparse_tile(Kernels.level, &view, tile, nil)
    }
  }
}
