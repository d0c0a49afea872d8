import Testing

@testable import JSON

struct JSONWriterTests {
  private func text(_ value: JSONValue, indent: Int? = nil) -> String {
    String(decoding: JSONWriter.bytes(of: value, indent: indent), as: UTF8.self)
  }

  @Test func writesEveryKindOfValue() {
    let value: JSONValue = [
      "b": [.null, true, -12, "a\"\\\n\u{1}é🙂/"], "a": [:], "c": [], "d": JSONValue(0.1),
    ]
    #expect(
      text(value)
        == #"{"b":[null,true,-12,"a\"\\\n\u0001é🙂/"],"a":{},"c":[],"d":0.1}"#)
    #expect(
      text(["a": [1, ["b": 2]], "c": []], indent: 2) == """
        {
          "a": [
            1,
            {
              "b": 2
            }
          ],
          "c": []
        }
        """)
  }

  @Test(arguments: [
    #"{"a":[1,2.50,-0.0,1E-05,1e+3,9223372036854775808],"b":{"c":null,"d":false}}"#,
    #"[100000.0,1.00000000000000019884624838656e+30]"#,
  ])
  func keepsWhatItRead(text: String) throws {
    #expect(self.text(try JSONReader.read(Array(text.utf8))) == text)
  }

  @Test func membersAreReplacedInTheirPlace() throws {
    var object = try #require(try JSONReader.read(Array(#"{"a":1,"b":2,"c":3}"#.utf8)).object)
    object["b"] = "x"
    object["a"] = nil
    object["d"] = 4
    object["e"] = nil
    #expect(text(.object(object)) == #"{"b":"x","c":3,"d":4}"#)
  }

  @Test func numbersThatAreNoneBecomeNull() {
    #expect(text(JSONValue(.nan)) == "null")
  }
}
