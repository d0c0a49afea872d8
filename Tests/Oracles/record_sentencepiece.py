#!/usr/bin/env python3
"""Records a vocabulary of SentencePiece's own, and what it makes of texts: ExportTests/Fixtures/sentencepiece.json.

usage: record_sentencepiece.py

  model    tokenizer.model, in base64
  pieces   of each token its text, score, and kind as SentencePiece numbers it
  texts    texts, with the ids that SentencePiece gives

Needs requirements-record.txt.
"""

import base64
import io
import json

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as message

from record_tokens import SAMPLES, TESTS, TEXTS


def main():
    file = io.BytesIO()
    lines = (SAMPLES / "calibration.txt").read_text(encoding="utf-8").splitlines()[:400]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines + [text for text in TEXTS if "\x00" not in text]), model_writer=file,
        model_type="bpe", vocab_size=640, character_coverage=0.98, byte_fallback=True, add_dummy_prefix=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1, minloglevel=2)
    model = message.ModelProto.FromString(file.getvalue())
    # Of how it was trained only this is of use here.
    model.trainer_spec.CopyFrom(message.TrainerSpec(model_type=model.trainer_spec.model_type, byte_fallback=True))
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    texts = [text for text in TEXTS if text and "\x00" not in text and "▁" not in text]
    record = {
        "model": base64.b64encode(model.SerializeToString()).decode(),
        "pieces": [[piece.piece, piece.score, piece.type] for piece in model.pieces],
        "texts": [{"text": text, "ids": processor.encode(text)} for text in texts],
    }
    path = TESTS / "ExportTests/Fixtures/sentencepiece.json"
    path.write_text(json.dumps(record, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
