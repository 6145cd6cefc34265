#pragma once

#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/model/text/sentencepiece_file.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// The tokenizer and the chat templates in the metadata of a GGUF file: keys `tokenizer.*`.
struct GgufTokenizer {
  using TokenType = SentencePiece::Type;  ///< GGUF uses SentencePiece's numbers for types of tokens.

  std::string model;  ///< "gpt2": byte-level BPE with `merges`. "llama": SentencePiece with `scores`.
  std::string pre;    ///< The rules by which "gpt2" cuts a text into words; empty if the file does not name them.
  std::vector<std::string> tokens;
  std::vector<float> scores;        ///< One for each token, or none.
  std::vector<TokenType> types;     ///< One for each token.
  std::vector<std::string> merges;  ///< Each is two tokens with a blank between them.
  std::optional<int64_t> bos, eos, eot, eom, unknown, padding;
  std::optional<bool> add_bos, add_eos;  ///< Whether encoding adds one to a text.
  std::optional<bool> add_space_prefix;  ///< "llama": whether encoding adds a blank before a text.
  std::string chat_template;             ///< Empty: none.
  std::vector<std::pair<std::string, std::string>> other_templates;  ///< Name and template.
  std::string hugging_face;  ///< A whole `tokenizer.json` if the keys cannot express everything; else empty.
};

/// Reads and checks the tokenizer of a file. Throws Error that names the file and the key when something is missing, of
/// another type, not UTF-8, a duplicate, or outside the vocabulary.
GgufTokenizer read_gguf_tokenizer(const Gguf& file);

/// Adds it to a file.
void add_gguf_tokenizer(const GgufTokenizer& tokenizer, GgufWriter& writer);

/// The tokenizer of a SentencePiece model, filled up to `vocab_size` with unused tokens.
GgufTokenizer gguf_tokenizer(const std::vector<SentencePiece>& pieces, int64_t vocab_size);

}  // namespace tinyllm
