#include <tinyllm/model/text/tokenizer.h>

#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/model/text/markers.h>
#include <tinyllm/model/text/sentencepiece_file.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/text/spm/spm_tokenizer.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Whether train_tokenizer made the model. If not, it belongs to another family of models.
bool has_our_markers(std::string_view bytes, std::string_view what) {
  const SentencePieceFile file = read_sentencepiece_file(bytes, what);
  return std::all_of(kMarkers.begin(), kMarkers.end(), [&](std::string_view marker) {
    return std::any_of(file.pieces.begin(), file.pieces.end(),
                       [&](const SentencePiece& piece) { return piece.text == marker; });
  });
}

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text, OnInvalid on_invalid) const {
  if (on_invalid == OnInvalid::replace) return encode_utf8(replace_invalid_utf8(text));
  check_utf8(text, "text to encode");
  return encode_utf8(text);
}

std::vector<int32_t> Tokenizer::encode_alone(std::string_view text) const {
  const std::span<const int32_t> before = before_text();
  std::vector<int32_t> tokens(before.begin(), before.end());
  const std::vector<int32_t> encoded = encode(text);
  tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  return tokens;
}

std::vector<int32_t> Tokenizer::encode_rendered(std::string_view text, std::span<const TextRange> special) const {
  std::vector<int32_t> tokens;
  size_t done = 0;
  const auto append_text = [&](size_t end) {
    if (done == end) return;
    const std::vector<int32_t> encoded = encode(text.substr(done, end - done));
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  };
  for (const TextRange& range : special) {
    append_text(range.begin);
    done = range.end;
    const std::string_view name = text.substr(range.begin, range.end - range.begin);
    const std::optional<int32_t> token = this->special(name);
    if (!token) throw Error("the tokenizer has no special token {}", name);
    tokens.push_back(*token);
  }
  append_text(text.size());
  return tokens;
}

void Tokenizer::save(const std::filesystem::path& folder) const {
  for (const auto& [name, bytes] : files()) write_file(folder / name, bytes);
}

bool Tokenizer::is_end(int32_t token) const {
  const std::span<const int32_t> ends = end_tokens();
  return std::find(ends.begin(), ends.end(), token) != ends.end();
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path) {
  std::filesystem::path file = path;
  if (is_folder(path)) {
    const bool has_json = is_there(path / kHfTokenizerFile);
    file = path / (has_json ? kHfTokenizerFile : kTokenizerFile);
  }
  constexpr uint64_t kMostBytes = uint64_t{128} << 20;
  const std::string bytes = read_file(file, kMostBytes);
  if (file.filename() == kHfTokenizerFile || bytes.starts_with('{')) {
    return std::make_unique<HfTokenizer>(HfTokenizer::load(file.parent_path(), file.filename().string()));
  }
  if (has_our_markers(bytes, file.string())) {
    return std::make_unique<SentencePieceTokenizer>(SentencePieceTokenizer::load(file));
  }
  return std::make_unique<SpmTokenizer>(SpmTokenizer::load(file));
}

}  // namespace tinyllm
