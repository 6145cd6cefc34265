#include <tinyllm/model/text/tokenizer.h>

#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {

std::vector<int32_t> Tokenizer::encode(std::string_view text, OnInvalid on_invalid) const {
  if (on_invalid == OnInvalid::replace) return encode_utf8(replace_invalid_utf8(text));
  check_utf8(text, "text to encode");
  return encode_utf8(text);
}

bool Tokenizer::is_end(int32_t token) const {
  const std::span<const int32_t> ends = end_tokens();
  return std::find(ends.begin(), ends.end(), token) != ends.end();
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::is_directory(path, ignored) ? path / kTokenizerFile : path;
  return std::make_unique<SentencePieceTokenizer>(SentencePieceTokenizer::load(file));
}

}  // namespace tinyllm
