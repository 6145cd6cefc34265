// The tokenizer of a GGUF file as the JSON files of Hugging Face, and back. Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/model/formats/gguf/tokenizer.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <string_view>

namespace tinyllm {

/// The `tokenizer.json` with the same tokens for every text. `architecture` (`general.architecture`) tells how words
/// are cut where the file does not. Throws Error when the pre-tokenizer is not known, or a merge is not two tokens.
Json tokenizer_json(const GgufTokenizer& tokenizer, std::string_view architecture);
/// The `tokenizer_config.json`: special tokens, chat templates.
Json tokenizer_config_json(const GgufTokenizer& tokenizer);

/// What reading such a tokenizer may get wrong, in a sentence; empty when nothing: the file does not name its
/// pre-tokenizer.
std::string gguf_tokenizer_doubt(const GgufTokenizer& tokenizer);

/// From a `tokenizer.json`, a `tokenizer_config.json` (with the chat template in it; an empty object if there is none)
/// and a `config.json`, whose fields `vocab_size`, `bos_token_id` and `eos_token_id` count. What GGUF cannot express
/// (an added token that swallows blanks, another way to put the first blank) is kept in a copy of the `tokenizer.json`,
/// which this program reads and others ignore. Throws Error on another kind of tokenizer than byte pair encoding, and
/// when GGUF has no name for how it cuts words.
GgufTokenizer gguf_tokenizer(const Json& tokenizer, const Json& tokenizer_config, const Json& config);

/// Special tokens and chat templates alone, for a tokenizer that comes from a SentencePiece model.
void add_tokenizer_config(const Json& tokenizer_config, const Json& config, GgufTokenizer& tokenizer);

}  // namespace tinyllm
