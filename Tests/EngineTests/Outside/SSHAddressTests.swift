import Testing

@testable import Engine

struct SSHAddressTests {
  @Test(arguments: [
    ("ssh://host/models/a", "host", nil, "/models/a"),
    ("ssh://me@host:2222/a b", "me@host", 2222, "/a b"),
    ("ssh://host/~/models/a.gguf", "host", nil, "~/models/a.gguf"),
    ("ssh://me@[fe80::1]:22/x", "me@fe80::1", 22, "/x"),
    ("ssh://host", "host", nil, nil), ("ssh://host/", "host", nil, nil),
  ])
  func partsAreTakenApart(_ text: String, _ host: String, _ port: Int?, _ path: String?) {
    let address = SSHAddress(text)
    #expect(address?.destination == host)
    #expect(address?.port == port)
    #expect(address?.path == path)
  }

  /// What a shell or ssh itself would take for something else is refused.
  @Test(arguments: [
    "http://host/x", "ssh:///x", "ssh://-oProxyCommand=x/y", "ssh://me@-x/y", "ssh://host:0/x",
    "ssh://host:x/y", "ssh://host:70000/y", "ssh://a b/x", "ssh://$(x)/y", "ssh://me@/x",
  ])
  func othersAreNone(_ text: String) { #expect(SSHAddress(text) == nil) }

  @Test func pathsOfOneMachine() {
    #expect(
      SSHAddress("ssh://me@host:2222/~/a")?.with(path: "/home/me/a")
        == "ssh://me@host:2222/home/me/a")
    #expect(SSHAddress("ssh://host/~/a")?.description == "ssh://host/~/a")
  }
}
