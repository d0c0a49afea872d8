import CKernels
import Glibc

/// A matrix of integer codes in tiles of rows, as products read them: see `vk_tiles.h`.
final class Tiles: @unchecked Sendable {
  // Unchecked: whoever makes tiles writes them before anyone else sees them.

  /// What tiles hold beside codes, and how codes become weights.
  struct Layout: Hashable, Sendable {
    let rows: Int
    let columns: Int
    let bits: Int
    let groupSize: Int
    var scaleType = ElementType.float16
    /// Groups that share a scale.
    var groupsAScale = 1
    var hasMinimums = false
    var hasPoints = false
    /// Whether each group multiplies the scale that it shares, and the minimum.
    var hasMultiples = false
    var multiplesAreSigned = false
    /// The zero point where groups have none of their own.
    var zero: Float = 0
    /// Sixteen values that codes stand for; empty where they stand for themselves.
    var table: [UInt8] = []

    /// Whether tiles can hold groups of this size.
    var isPossible: Bool { vk_tiles_fit(columns, groupSize) != 0 }
    var tileCount: Int { (rows + VK_TILE_ROWS - 1) / VK_TILE_ROWS }
    /// Bytes of a tile's codes.
    var tileBytes: Int { vk_tile_units(columns) * 64 * bits }
    /// Groups and scales of a row, as many as whole units have.
    var groups: Int { vk_tile_groups(columns, groupSize) }
    var scales: Int { groups / groupsAScale }
  }

  let layout: Layout
  /// The matrix as kernels see it.
  let view: vk_tiles
  private let memory: UnsafeMutableRawPointer
  /// Bytes of the memory, and of the codes that it begins with.
  let byteCount: Int
  private let codeBytes: Int

  var groupSize: Int { layout.groupSize }
  /// Whether codes that stand for zero are left out.
  var isSparse: Bool { view.starts != nil }
  /// Whether such codes could be left out.
  var isSparsable: Bool { vk_tiles_can_be_sparse([view]) != 0 }

  /// From this many bytes on memory begins with a large page, which the system gives if it can.
  private static let largePage = 2 << 20

  /// Memory for codes that lives until it is deallocated.
  static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    let isLarge = bytes >= largePage
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: isLarge ? largePage : 64)
    if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
    return memory
  }

  /// Tiles that `write` fills, in parallel if there is a pool; what it leaves is zeros.
  ///
  /// - Precondition: the layout is possible.
  init(
    _ layout: Layout, on pool: WorkerPool?,
    write: @Sendable (_ tile: Int, _ rows: Range<Int>, vk_tile_destination) -> Void
  ) {
    precondition(layout.isPossible, "groups nest with units")
    self.layout = layout
    var sections = Sections()
    let lanes = layout.tileCount * VK_TILE_ROWS
    let codes = sections.add(layout.tileCount * layout.tileBytes)
    let scales = sections.add(lanes * layout.scales * 2)
    let minimums = layout.hasMinimums ? sections.add(lanes * layout.scales * 2) : nil
    let points = layout.hasPoints ? sections.add(lanes * layout.groups) : nil
    let multiples = layout.hasMultiples ? sections.add(lanes * layout.groups) : nil
    let minimumMultiples =
      layout.hasMultiples && layout.hasMinimums ? sections.add(lanes * layout.groups) : nil
    let table = layout.table.isEmpty ? nil : sections.add(layout.table.count)
    let memory = Self.allocate(sections.count)
    self.memory = memory
    byteCount = sections.count
    codeBytes = scales
    func bytes(_ offset: Int?) -> UnsafeMutablePointer<UInt8>? {
      offset.map { (memory + $0).assumingMemoryBound(to: UInt8.self) }
    }
    func halves(_ offset: Int?) -> UnsafeMutablePointer<UInt16>? {
      offset.map { (memory + $0).assumingMemoryBound(to: UInt16.self) }
    }
    if let start = bytes(table) { start.update(from: layout.table, count: layout.table.count) }
    view = vk_tiles(
      codes: bytes(codes), starts: nil, scales: halves(scales), minimums: halves(minimums),
      points: bytes(points), scale_multiples: bytes(multiples),
      minimum_multiples: bytes(minimumMultiples), table: bytes(table), rows: layout.rows,
      columns: layout.columns, group: layout.groupSize, groups_a_scale: layout.groupsAScale,
      bits: UInt32(layout.bits), zero: layout.zero,
      scales_are_bfloat: layout.scaleType == .bfloat16 ? 1 : 0,
      multiples_are_signed: layout.multiplesAreSigned ? 1 : 0)
    // Each thread is the first to touch the pages that it writes.
    let writing = Writing(layout: layout, view: view)
    if let pool {
      pool.run(count: layout.tileCount, grain: 4) { writing.write($0, by: write) }
    } else {
      writing.write(0..<layout.tileCount, by: write)
    }
  }

  /// A matrix's tiles without codes that stand for zero.
  ///
  /// - Parameters:
  ///   - dense: Tiles with all codes.
  ///   - bytes: Bytes of each tile without them.
  ///   - pool: The threads that share the work.
  init(withoutZerosOf dense: Tiles, bytes: [Int], on pool: WorkerPool?) {
    layout = dense.layout
    var sections = Sections()
    let codes = sections.add(bytes.reduce(0, +) + Int(VK_SPARSE_SLACK))
    let starts = sections.add(bytes.count * MemoryLayout<UInt64>.stride)
    codeBytes = sections.count
    // What tiles hold beside codes stays as it is.
    let rest = dense.byteCount - dense.codeBytes
    let restStart = sections.add(rest)
    let memory = Self.allocate(sections.count)
    self.memory = memory
    byteCount = sections.count
    (memory + restStart).copyMemory(from: dense.memory + dense.codeBytes, byteCount: rest)
    func moved<Element>(_ pointer: UnsafePointer<Element>?) -> UnsafePointer<Element>? {
      pointer.map {
        let offset = UnsafeRawPointer($0) - UnsafeRawPointer(dense.memory) - dense.codeBytes
        return UnsafeRawPointer(memory + restStart + offset).assumingMemoryBound(to: Element.self)
      }
    }
    let first = (memory + codes).assumingMemoryBound(to: UInt8.self)
    let places = (memory + starts).assumingMemoryBound(to: UInt64.self)
    var end: UInt64 = 0
    for (tile, count) in bytes.enumerated() {
      places[tile] = end
      end += UInt64(count)
    }
    (first + Int(end)).update(repeating: 0, count: Int(VK_SPARSE_SLACK))
    var view = dense.view
    view.codes = UnsafePointer(first)
    view.starts = UnsafePointer(places)
    view.scales = moved(dense.view.scales)
    view.points = moved(dense.view.points)
    view.scale_multiples = moved(dense.view.scale_multiples)
    self.view = view
    let writing = Thinning(dense: dense.view, starts: places, first: first)
    if let pool {
      pool.run(count: bytes.count, grain: 4) { writing.write($0) }
    } else {
      writing.write(0..<bytes.count)
    }
    withExtendedLifetime(dense) {}
  }

  deinit { memory.deallocate() }

  /// Writes the rows, decoded, one after the other.
  ///
  /// - Precondition: there are no multiples and no table.
  func decode(rows: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    Operand.tiles(view, inputs: nil).decode(rows: rows, into: destination)
  }

  /// The codes of some rows, a byte each, row after row.
  func codes(ofRows rows: Range<Int>) -> [UInt8] {
    let count = rows.count * layout.columns
    return [UInt8](unsafeUninitializedCapacity: count) { codes, initialized in
      var view = view
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: vk_tile_scratch(layout.columns)) {
        vk_tiles_codes(
          Kernels.level, &view, rows.lowerBound, rows.count, $0.baseAddress, codes.baseAddress)
      }
      initialized = count
    }
  }

  /// What a row after row order has of values that tiles hold for each of `count` groups, of which rows have `kept`.
  func rowMajor<Element>(
    _ values: UnsafePointer<Element>, count: Int, kept: Int
  ) -> [Element] {
    let tileRows = VK_TILE_ROWS
    var found: [Element] = []
    found.reserveCapacity(layout.rows * kept)
    for row in 0..<layout.rows {
      let start = values + row / tileRows * count * tileRows + row % tileRows
      for group in 0..<kept { found.append(start[group * tileRows]) }
    }
    return found
  }
}

/// Parts of one allocation, each at a multiple of 64 bytes.
private struct Sections {
  private(set) var count = 0

  mutating func add(_ bytes: Int) -> Int {
    defer { count += (bytes + 63) / 64 * 64 }
    return count
  }
}

/// Writes tiles without zeros.
private struct Thinning: @unchecked Sendable {
  // Unchecked: each call writes its own tiles.
  let dense: vk_tiles
  let starts: UnsafePointer<UInt64>
  let first: UnsafeMutablePointer<UInt8>

  func write(_ tiles: Range<Int>) {
    var dense = dense
    for tile in tiles {
      _ = vk_sparse_tile(Kernels.level, &dense, tile, first + Int(starts[tile]))
    }
  }
}

/// Fills tiles.
private struct Writing: @unchecked Sendable {
  // Unchecked: each call writes its own tiles.
  let layout: Tiles.Layout
  let view: vk_tiles

  func write(
    _ tiles: Range<Int>, by write: (_ tile: Int, _ rows: Range<Int>, vk_tile_destination) -> Void
  ) {
    for tile in tiles {
      let tileRows = VK_TILE_ROWS
      let rows = tile * tileRows..<min((tile + 1) * tileRows, layout.rows)
      let (groups, scales) = (layout.groups * tileRows, layout.scales * tileRows)
      guard let codes = part(view.codes, tile, layout.tileBytes),
        let tileScales = part(view.scales, tile, scales)
      else { continue }
      let destination = vk_tile_destination(
        codes: codes, scales: tileScales, minimums: part(view.minimums, tile, scales),
        points: part(view.points, tile, groups),
        scale_multiples: part(view.scale_multiples, tile, groups),
        minimum_multiples: part(view.minimum_multiples, tile, groups))
      write(tile, rows, destination)
    }
  }

  /// The part of a tile, zeroed but for codes, which are always written whole.
  private func part<Element: FixedWidthInteger>(
    _ start: UnsafePointer<Element>?, _ tile: Int, _ count: Int
  ) -> UnsafeMutablePointer<Element>? {
    guard let start else { return nil }
    let part = UnsafeMutablePointer(mutating: start) + tile * count
    part.update(repeating: 0, count: count)
    return part
  }
}
