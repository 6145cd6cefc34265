#include <tinyllm/model/text/hf/vocabulary.h>

#include <tinyllm/model/text/fallback_byte.h>
#include <tinyllm/model/text/hf/decoder.h>
#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr int64_t kMaxTokens = 1 << 20;
constexpr size_t kMaxMerges = size_t{1} << 22;
constexpr size_t kMaxTokenBytes = 4096;

bool flag(const Json& json, const char* field) {
  bool value = false;
  if (find_field(json, field) != nullptr) read_field(json, field, value);
  return value;
}

// Throws Error on fields that would change the tokens in ways that are not implemented.
void refuse_others(const Json& json) {
  std::string type = "BPE";  // Old files lack the field.
  if (find_field(json, "type") != nullptr) read_field(json, "type", type);
  if (type != "BPE") throw Error("field model: type {}, expected BPE", shortened(type));
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!text_or_none(json, affix).empty()) throw Error("field {}: is set, expected none", affix);
  }
  float dropout = 0;
  if (find_field(json, "dropout") != nullptr) read_field(json, "dropout", dropout);
  if (dropout != 0) throw Error("field dropout: is {}, expected none: tokens would depend on chance", dropout);
}

std::vector<std::string> read_vocab(const Json& vocab) {
  if (!vocab.is_object()) throw Error("field vocab: is {}, expected an object", type_of(vocab));
  std::vector<std::string> texts;
  for (const auto& [text, value] : vocab.items()) {
    int64_t id = 0;
    read_value(value, "vocab", id);
    if (id < 0 || id >= kMaxTokens) throw Error("vocab: token {}, expected 0 to {}", id, kMaxTokens - 1);
    if (text.empty() || text.size() > kMaxTokenBytes) {
      throw Error("vocab: token {} has {} bytes, expected 1 to {}", id, text.size(), kMaxTokenBytes);
    }
    if (texts.size() <= static_cast<size_t>(id)) texts.resize(static_cast<size_t>(id) + 1);
    std::string& place = texts[static_cast<size_t>(id)];
    if (!place.empty()) throw Error("vocab: token {} is there twice", id);
    place = text;
  }
  return texts;
}

}  // namespace

HfVocabulary::HfVocabulary(const Json& json, bool byte_level, const HfAddedTokens& added) {
  refuse_others(json);
  texts_ = read_vocab(need_field(json, "vocab"));
  for (size_t i = 0; i < texts_.size(); ++i) {
    ids_.add(texts_[i], static_cast<int32_t>(i));
    if (texts_[i].size() > WordTable::kLongest) long_ids_.emplace_back(texts_[i], static_cast<int32_t>(i));
  }
  std::sort(long_ids_.begin(), long_ids_.end());

  std::string unknown_text = text_or_none(json, "unk_token");
  const int32_t unknown = unknown_text.empty() ? -1 : id_of(unknown_text);
  const bool fuses = flag(json, "fuse_unk");
  const bool ignores_merges = flag(json, "ignore_merges");
  const bool has_fallback = flag(json, "byte_fallback");
  std::vector<bool> is_special(texts_.size());
  for (const HfAddedTokens::Token& token : added.tokens()) {
    if (token.special && static_cast<size_t>(token.id) < is_special.size())
      is_special[static_cast<size_t>(token.id)] = true;
  }
  std::vector<Bpe::ListedMerge> merges = read_merges(need_field(json, "merges"));
  std::erase_if(merges, [&](const Bpe::ListedMerge& merge) { return is_special[static_cast<size_t>(merge.merged)]; });

  if (byte_level) {
    std::vector<std::string> pieces(texts_.size());
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (!is_special[i]) pieces[i] = hf_bytes(texts_[i]).value_or("");
    }
    bytes_ = std::make_unique<const ByteBpe>(
        pieces, merges, ByteBpe::Options{.ignore_merges = ignores_merges, .unknown = unknown, .fuse_unknown = fuses});
    return;
  }
  std::vector<Bpe::Piece> pieces(texts_.size());
  for (size_t i = 0; i < texts_.size(); ++i) {
    if (is_special[i] || texts_[i].empty()) continue;
    const std::optional<char> byte = has_fallback ? fallback_byte(texts_[i]) : std::nullopt;
    pieces[i] =
        byte ? Bpe::Piece{std::string(1, *byte), 0, Bpe::Kind::byte} : Bpe::Piece{texts_[i], 0, Bpe::Kind::merged};
    if (ignores_merges) words_.add(texts_[i], static_cast<int32_t>(i));
  }
  std::erase_if(merges, [&](const Bpe::ListedMerge& merge) {
    const auto is_text = [&](int32_t id) { return pieces[static_cast<size_t>(id)].kind == Bpe::Kind::merged; };
    return !is_text(merge.left) || !is_text(merge.right);
  });
  characters_ = std::make_unique<const Bpe>(
      pieces, merges, Bpe::Options{.refuse_unmade = false, .unknown = unknown, .fuse_unknown = fuses});
}

int32_t HfVocabulary::id_of(std::string_view text) const {
  int32_t id = ids_.find(text);
  if (id == WordTable::kNone && text.size() > WordTable::kLongest) {
    const auto found = std::lower_bound(long_ids_.begin(), long_ids_.end(), text,
                                        [](const auto& a, std::string_view b) { return a.first < b; });
    if (found != long_ids_.end() && found->first == text) id = found->second;
  }
  if (id == WordTable::kNone) throw Error("token {} is not in the vocabulary", shortened(text));
  return id;
}

std::vector<Bpe::ListedMerge> HfVocabulary::read_merges(const Json& json) const {
  if (!json.is_array()) throw Error("field merges: is {}, expected a list", type_of(json));
  if (json.size() > kMaxMerges)
    throw Error("field merges: has {} merges, expected at most {}", json.size(), kMaxMerges);
  std::vector<Bpe::ListedMerge> merges;
  merges.reserve(json.size());
  for (const Json& item : json) {
    std::string_view left;
    std::string_view right;
    if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      left = item[0].get_ref<const std::string&>();
      right = item[1].get_ref<const std::string&>();
    } else if (item.is_string()) {
      const std::string_view both = item.get_ref<const std::string&>();
      if (both.starts_with("#version")) continue;
      const size_t blank = both.find(' ');
      if (blank == std::string_view::npos) throw Error("merge {}: has no blank", merges.size());
      left = both.substr(0, blank);
      right = both.substr(blank + 1);
    } else {
      throw Error("merge {}: is {}, expected two tokens", merges.size(), shown(item));
    }
    std::string merged(left);
    merged += right;
    merges.push_back({id_of(left), id_of(right), id_of(merged)});
  }
  return merges;
}

void HfVocabulary::encode_word(std::string_view word, std::vector<int32_t>& tokens) const {
  if (bytes_) return bytes_->encode_word(word, tokens);
  const int32_t whole = words_.find(word);
  if (whole != WordTable::kNone) {
    tokens.push_back(whole);
  } else {
    characters_->encode(word, tokens);
  }
}

}  // namespace tinyllm
