/// What a token is, as GGUF files say it of each (`llama_token_type`) and SentencePiece's of each piece (`Type`).
package enum GGUFTokenType: Int32 {
  case normal = 1
  case unknown, control, userDefined, unused, byte
}
