import FoundationEssentials
import Testing

@testable import Serving

@Suite struct ServerAddressTests {
  @Test(arguments: [
    ("http://localhost:8000", "http://localhost:8000"),
    ("http://localhost:8000/", "http://localhost:8000"),
    ("http://localhost:8000/v1", "http://localhost:8000"),
    ("http://localhost:8000/v1//", "http://localhost:8000"),
    ("https://host/llm/v1/", "https://host/llm"),
    ("https://host/v1beta", "https://host/v1beta"),
    ("HTTP://[::1]:8080", "HTTP://[::1]:8080"),
  ])
  func readsURLs(_ url: String, _ base: String) throws {
    let address = try ServerAddress(url)
    #expect(address.base == base)
    #expect(try address.url(of: "models").absoluteString == base + "/v1/models")
  }

  @Test(arguments: [
    "", "localhost:8000", "localhost", "ftp://host", "http://", "http:///v1", "http://host:0",
    "http://host:70000", "http://ho st", "http://host\u{1B}[2J", "http://host\n", "http://hö.st",
    "http://host?x=1", "http://host/#a", "file:///etc/passwd",
  ])
  func refusesOthers(_ url: String) {
    let failure = #expect(throws: ServerFailure.self) { try ServerAddress(url) }
    #expect(failure?.description.contains("URL") == true)
    #expect(failure?.description.unicodeScalars.contains("\u{1B}") == false)
  }

  @Test func passwordsAreNotShown() {
    let failure = #expect(throws: ServerFailure.self) {
      try ServerAddress("http://me:hunter2@host")
    }
    #expect(failure?.description.contains("VISE_API_KEY") == true)
    #expect(failure?.description.contains("hunter2") == false)
  }

  @Test func theFirstKeyCounts() throws {
    func key(_ variables: [String: String]) throws -> String? {
      try ServerKey { variables[$0] }.read()
    }
    #expect(try key([:]) == nil)
    #expect(try key(["OPENAI_API_KEY": "b"]) == "b")
    #expect(try key(["VISE_API_KEY": "a", "OPENAI_API_KEY": "b"]) == "a")
    #expect(try key(["VISE_API_KEY": "", "OPENAI_API_KEY": " b\n"]) == "b")
    let failure = #expect(throws: ServerFailure.self) { try key(["VISE_API_KEY": "se\r\ncret"]) }
    #expect(failure?.description.contains("cret") == false)
  }
}
