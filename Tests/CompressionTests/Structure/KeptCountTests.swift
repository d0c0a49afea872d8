import Compression
import Testing

struct KeptCountTests {
  @Test func readsNumbersAndShares() {
    #expect(KeptCount("1024") == .count(1024))
    #expect(KeptCount("75%") == .share(0.75))
    for wrong in ["", "0", "-3", "0%", "101%", "nan%", "few", "1.5"] {
      #expect(KeptCount(wrong) == nil, "\(wrong)")
    }
  }

  @Test func sharesBecomeTheNearestMultiple() {
    #expect(KeptCount.share(0.75).count(of: 1536, inMultiplesOf: 32) == 1152)
    #expect(KeptCount.share(2.0 / 3).count(of: 1536, inMultiplesOf: 32) == 1024)
    #expect(KeptCount.share(0.001).count(of: 1536, inMultiplesOf: 32) == 32)
    #expect(KeptCount.share(1).count(of: 700, inMultiplesOf: 32) == 700)
    #expect(KeptCount.share(0.5).count(of: 3) == 2)
    #expect(KeptCount.count(1000).count(of: 1536, inMultiplesOf: 32) == 1000)
  }
}
