/// What a token is to llama.cpp, as GGUF files say it of each (`llama_token_type`).
package enum GGUFTokenType: Int32 {
  case normal = 1
  case unknown, control, userDefined, unused, byte
}
