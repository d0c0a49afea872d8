import Export
import Testing

@Suite struct ExportTargetTests {
  @Test func standardTargetsLoadTheirFormat() {
    for format in ExportFormat.allCases {
      if let target = format.standardTarget { #expect(target.format == format) }
    }
  }
}
