#include <tinyllm/model/text/hf/added_tokens.h>

#include <tinyllm/model/text/regex/char_set.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr size_t kMaxTokens = 1 << 16;
constexpr int64_t kMaxId = 1 << 20;
constexpr size_t kMaxContent = 4096;

bool flag(const Json& json, const char* field, bool otherwise) {
  if (find_field(json, field) != nullptr) read_field(json, field, otherwise);
  return otherwise;
}

// As in the Rust crate `regex`, whose words also contain the two joiners (U+200C, U+200D).
bool is_word(char32_t c) {
  static const icu::UnicodeSet set(icu::UnicodeSet(word_characters()).add(0x200C, 0x200D));
  return set.contains(static_cast<UChar32>(c));
}
bool is_blank(char32_t c) {
  static const icu::UnicodeSet set(blanks());
  return set.contains(static_cast<UChar32>(c));
}

size_t before(std::string_view text, size_t at) {
  --at;
  while (at > 0 && continues_character(text[at])) --at;
  return at;
}

bool is_apart(std::string_view text, const TextRange& range) {
  size_t last = range.begin > 0 ? before(text, range.begin) : 0;
  size_t next = range.end;
  return (range.begin == 0 || !is_word(next_character(text, last))) &&
         (range.end == text.size() || !is_word(next_character(text, next)));
}

void take_blanks_before(std::string_view text, size_t least, size_t& begin) {
  while (begin > least) {
    const size_t last = before(text, begin);
    size_t at = last;
    if (!is_blank(next_character(text, at))) return;
    begin = last;
  }
}

void take_blanks_after(std::string_view text, size_t& end) {
  while (end < text.size()) {
    size_t next = end;
    if (!is_blank(next_character(text, next))) return;
    end = next;
  }
}

HfAddedTokens::Token read_token(const Json& json) {
  HfAddedTokens::Token token;
  int64_t id = 0;
  read_field(json, "id", id);
  if (id < 0 || id >= kMaxId) throw Error("field id: is {}, expected 0 to {}", id, kMaxId - 1);
  token.id = static_cast<int32_t>(id);
  read_field(json, "content", token.content);
  if (token.content.size() > kMaxContent) {
    throw Error("added token {}: has {} bytes, expected at most {}", id, token.content.size(), kMaxContent);
  }
  token.special = flag(json, "special", false);
  token.single_word = flag(json, "single_word", false);
  token.lstrip = flag(json, "lstrip", false);
  token.rstrip = flag(json, "rstrip", false);
  token.normalized = flag(json, "normalized", !token.special);
  return token;
}

}  // namespace

HfAddedTokens::HfAddedTokens(const Json* json, const HfNormalizer& normalizer) {
  if (json == nullptr) return;
  if (!json->is_array()) throw Error("field added_tokens: is {}, expected a list", type_of(*json));
  if (json->size() > kMaxTokens) throw Error("field added_tokens: more than {} tokens", kMaxTokens);
  for (const Json& item : *json) {
    Token token = read_token(item);
    if (token.content.empty() || index_of_text_.contains(token.content)) continue;
    const std::string found = token.normalized ? normalizer.apply(token.content) : token.content;
    const auto index = static_cast<int32_t>(tokens_.size());
    if (!found.empty()) {
      tries_[token.normalized].add(found, index);
      begins_[token.normalized][static_cast<unsigned char>(found[0])] = true;
      any_[token.normalized] = true;
    }
    index_of_id_[token.id] = tokens_.size();
    index_of_text_[token.content] = tokens_.size();
    tokens_.push_back(std::move(token));
  }
}

const HfAddedTokens::Token* HfAddedTokens::with_id(int32_t id) const {
  const auto found = index_of_id_.find(id);
  return found != index_of_id_.end() ? &tokens_[found->second] : nullptr;
}

const HfAddedTokens::Token* HfAddedTokens::with_text(std::string_view text) const {
  const auto found = index_of_text_.find(text);
  return found != index_of_text_.end() ? &tokens_[found->second] : nullptr;
}

std::vector<HfAddedTokens::Part> HfAddedTokens::split(std::string_view text, bool normalized,
                                                      std::span<const TextRange> typed) const {
  std::vector<Part> parts;
  size_t done = 0;
  size_t next_typed = 0;
  for (size_t at = 0; any_[normalized] && at < text.size();) {
    while (next_typed < typed.size() && typed[next_typed].end <= at) ++next_typed;
    const bool may_begin = begins_[normalized][static_cast<unsigned char>(text[at])];
    const TextTrie::Found found = may_begin ? tries_[normalized].longest(text.substr(at)) : TextTrie::Found{};
    TextRange range{at, at + found.length};
    if (found.length == 0 || (next_typed < typed.size() && typed[next_typed].begin < range.end)) {
      ++at;
      continue;
    }
    at = range.end;
    const Token& token = tokens_[static_cast<size_t>(found.value)];
    if (token.single_word && !is_apart(text, range)) continue;
    if (token.lstrip) take_blanks_before(text, done, range.begin);
    if (token.rstrip) take_blanks_after(text, range.end);
    if (done < range.begin) parts.push_back({nullptr, {done, range.begin}});
    parts.push_back({&token, range});
    done = range.end;
  }
  if (done < text.size()) parts.push_back({nullptr, {done, text.size()}});
  return parts;
}

}  // namespace tinyllm
