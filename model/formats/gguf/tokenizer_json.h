// Converts the tokenizer of a GGUF file to Hugging Face's JSON files, and back. Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/model/formats/gguf/tokenizer.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>

namespace tinyllm {

/// The `tokenizer.json` that gives the same tokens for every text. If the file does not name its pre-tokenizer,
/// `architecture` (the key `general.architecture`) decides how words are cut. Throws Error when the pre-tokenizer is
/// unknown, or a merge is not two tokens.
Json tokenizer_json(const GgufTokenizer& tokenizer, std::string_view architecture);
/// The `tokenizer_config.json`, with special tokens and chat templates.
Json tokenizer_config_json(const GgufTokenizer& tokenizer);

/// A warning for the user if the file does not name its pre-tokenizer, so that tokens may be wrong; else empty.
std::string gguf_tokenizer_doubt(const GgufTokenizer& tokenizer);

/// The inverse. Reads a `tokenizer.json`, a `tokenizer_config.json` with the chat template (an empty object if there is
/// none), and the fields `vocab_size`, `bos_token_id` and `eos_token_id` of a `config.json`. If GGUF cannot express
/// something (an added token that absorbs blanks, another rule for the first blank), the result includes a copy of the
/// `tokenizer.json`, which this program reads and others ignore. Throws Error when the tokenizer is not byte pair
/// encoding, or GGUF has no name for the rules that cut words.
GgufTokenizer gguf_tokenizer(const Json& tokenizer, const Json& tokenizer_config, const Json& config);

/// Adds only special tokens and chat templates, to a tokenizer that was read from a SentencePiece model.
void add_tokenizer_config(const Json& tokenizer_config, const Json& config, GgufTokenizer& tokenizer);

}  // namespace tinyllm
