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
  using TokenType = SentencePiece::Type;  ///< The format numbers types of tokens as SentencePiece does.

  std::string
      model;  ///< "gpt2": byte pairs by `merges`, bytes written as characters. "llama": SentencePiece, by `scores`.
  std::string pre;  ///< How "gpt2" cuts a text into words; empty when the file does not say it.
  std::vector<std::string> tokens;
  std::vector<float> scores;        ///< One for each token, or none.
  std::vector<TokenType> types;     ///< One for each token.
  std::vector<std::string> merges;  ///< Two tokens and a blank between them.
  std::optional<int64_t> bos, eos, eot, eom, unknown, padding;
  std::optional<bool> add_bos, add_eos;                              ///< Whether text is encoded with one.
  std::optional<bool> add_space_prefix;                              ///< "llama": whether a blank is put before a text.
  std::string chat_template;                                         ///< Empty: none.
  std::vector<std::pair<std::string, std::string>> other_templates;  ///< Name and template.
  std::string hugging_face;  ///< A whole `tokenizer.json`, for what the keys cannot express; else empty.
};

/// Reads and checks it. Throws Error that names the file and the key, when something is missing, of another type, not
/// UTF-8, there twice, or outside the vocabulary.
GgufTokenizer read_gguf_tokenizer(const Gguf& file);

/// Adds it to a file.
void add_gguf_tokenizer(const GgufTokenizer& tokenizer, GgufWriter& writer);

/// The tokenizer of a SentencePiece model. Tokens up to `vocab_size` that it lacks are unused ones.
GgufTokenizer gguf_tokenizer(const std::vector<SentencePiece>& pieces, int64_t vocab_size);

}  // namespace tinyllm
