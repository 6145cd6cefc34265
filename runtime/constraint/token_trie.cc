#include <tinyllm/runtime/constraint/token_trie.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Characters of a text that a string of JSON can hold as it is; 0: it cannot.
size_t plain_characters(std::string_view text) {
  const auto stands_for_itself = [](char byte) {
    return static_cast<unsigned char>(byte) >= 0x20 && byte != '"' && byte != '\\';
  };
  if (!std::all_of(text.begin(), text.end(), stands_for_itself) || valid_utf8(text) != text.size()) return 0;
  return static_cast<size_t>(count_of_characters(text));
}

}  // namespace

TokenTrie::TokenTrie(std::vector<std::pair<std::string, int32_t>> tokens) {
  std::erase_if(tokens, [](const auto& token) { return token.first.empty() || token.first.size() > kMaxTokenBytes; });
  std::sort(tokens.begin(), tokens.end());
  nodes_.clear();
  std::vector<size_t> path;  // The nodes of the last token.
  const std::string* last = nullptr;
  const auto close = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back()) nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
  };
  for (const auto& [bytes, id] : tokens) {
    if (last == nullptr || bytes != *last) {
      size_t common = 0;
      while (last != nullptr && common < last->size() && common < bytes.size() && (*last)[common] == bytes[common])
        ++common;
      close(common);
      for (size_t i = common; i < bytes.size(); ++i) {
        path.push_back(nodes_.size());
        nodes_.push_back(
            {static_cast<uint8_t>(bytes[i]), static_cast<uint8_t>(i + 1), 0, static_cast<uint32_t>(tokens_.size())});
      }
      last = &bytes;
    }
    tokens_.push_back(id);
  }
  close(0);
  nodes_.push_back({0, 0, 0, static_cast<uint32_t>(tokens_.size())});
}

ConstraintVocabulary::ConstraintVocabulary(const Tokenizer& tokenizer, int64_t size)
    : bytes_(static_cast<size_t>(std::max(size, tokenizer.size()))) {
  ends_.assign(tokenizer.end_tokens().begin(), tokenizer.end_tokens().end());
  all_.resize(bytes_.size());
  for (std::vector<bool>& plain : plain_) plain.resize(bytes_.size());
  std::vector<std::pair<std::string, int32_t>> text, not_plain;
  for (int32_t token = 0; token < tokenizer.size(); ++token) {
    const auto i = static_cast<size_t>(token);
    bytes_[i] = tokenizer.decode({&token, 1});
    if (bytes_[i].empty() || tokenizer.is_end(token)) continue;
    all_[i] = true;
    if (tokenizer.special(tokenizer.piece(token)) == token) {
      markers_.push_back(token);
      continue;
    }
    text.emplace_back(bytes_[i], token);
    const size_t characters = plain_characters(bytes_[i]);
    if (characters == 0 || characters > kMaxPlain) not_plain.emplace_back(bytes_[i], token);
    for (size_t most = characters; characters > 0 && most <= kMaxPlain; ++most) plain_[most][i] = true;
  }
  text_ = TokenTrie(std::move(text));
  not_plain_ = TokenTrie(std::move(not_plain));
  check_bytes();
}

// With a token for each byte there is always one that goes on.
void ConstraintVocabulary::check_bytes() const {
  std::array<bool, 256> has{};
  for (const TokenTrie::Node& node : text_.nodes()) {
    const auto i = static_cast<size_t>(&node - text_.nodes().data());
    if (node.depth == 1 && !text_.tokens(i).empty()) has[node.byte] = true;
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const bool is_in_json =
        (byte == '\n' || byte >= 0x20) && byte != 0x7F && byte != 0xC0 && byte != 0xC1 && byte <= 0xF4;
    if (is_in_json && !has[byte]) {
      throw Error("tokenizer: has no token for the byte 0x{:02X}, which answers in JSON may need", byte);
    }
  }
}

}  // namespace tinyllm
