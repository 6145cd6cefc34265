#pragma once

#include <tinyllm/model/text/tokenizer.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// The tokens of a vocabulary as a tree of their bytes, laid flat in depth-first order: a walk that stops at a node
/// goes on at `end`, after all that begin like it.
class TokenTrie {
 public:
  /// Longer tokens have no place in it.
  static constexpr size_t kMaxTokenBytes = 128;

  struct Node {
    uint8_t byte;
    uint8_t depth;   ///< Bytes up to here, this one included.
    uint32_t end;    ///< The first node after those that begin with the same bytes.
    uint32_t token;  ///< Where its tokens begin; they go on to those of the next node.
  };

  TokenTrie() = default;
  /// Tokens without bytes are left out.
  explicit TokenTrie(std::vector<std::pair<std::string, int32_t>> tokens);

  std::span<const Node> nodes() const { return std::span(nodes_).first(nodes_.size() - 1); }
  /// The tokens that end at a node: several may have the same bytes.
  std::span<const int32_t> tokens(size_t node) const {
    return std::span(tokens_).subspan(nodes_[node].token, nodes_[node + 1].token - nodes_[node].token);
  }

 private:
  std::vector<Node> nodes_ = {{}};  // The last one is no node.
  std::vector<int32_t> tokens_;
};

/// What constraints need to know of a vocabulary. Immutable.
class ConstraintVocabulary {
 public:
  /// Longest text of a token whose characters are counted beforehand.
  static constexpr size_t kMaxPlain = 16;

  /// Masks have `size` places, at least one for each token. Throws Error when no token is a byte that JSON may need.
  ConstraintVocabulary(const Tokenizer& tokenizer, int64_t size);

  size_t size() const { return bytes_.size(); }
  const std::string& bytes(int32_t token) const { return bytes_[static_cast<size_t>(token)]; }
  std::span<const int32_t> ends() const { return ends_; }
  /// Special tokens that have bytes.
  std::span<const int32_t> markers() const { return markers_; }
  /// Tokens that have bytes and are no end.
  const std::vector<bool>& all() const { return all_; }
  /// Tokens that are text: neither special ones nor without bytes.
  const TokenTrie& text() const { return text_; }
  /// Those of them that are not plain.
  const TokenTrie& not_plain() const { return not_plain_; }
  /// Plain tokens are whole characters, at most kMaxPlain, that stand for themselves within a string. Those of at most
  /// so many characters.
  const std::vector<bool>& plain(size_t characters) const { return plain_[std::min(characters, kMaxPlain)]; }

 private:
  void check_bytes() const;

  std::vector<std::string> bytes_;
  std::vector<int32_t> ends_;
  std::vector<int32_t> markers_;
  std::vector<bool> all_;
  TokenTrie text_, not_plain_;
  std::array<std::vector<bool>, kMaxPlain + 1> plain_;
};

}  // namespace tinyllm
