import Allocation
import Testing

@Test func anItemHoldsItsLayers() {
  #expect(PlanItem(layers: ["a", "b"], options: []).layers == ["a", "b"])
}
