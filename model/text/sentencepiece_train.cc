#include <tinyllm/model/text/sentencepiece_train.h>

#include <tinyllm/model/text/markers.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace tinyllm {
namespace {

constexpr int64_t kFixedTokens = 4 + kMarkers.size() + 1 + 256;  // Controls, markers, the line feed, bytes.
constexpr int64_t kMinVocab = 300;
// SentencePiece's trainer reserves two characters: it treats the first as a blank, and skips every line that contains
// the second. Both are therefore encoded as bytes.
constexpr char32_t kReserved[] = {U'\u2581', U'\u2585'};

// Gives the trainer the lines of all texts.
class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::span<const std::string> texts) : texts_(texts) { Next(); }
  bool done() const override { return text_ == texts_.size() && line_.empty(); }
  void Next() override {
    line_.clear();
    while (line_.empty() && text_ < texts_.size()) {
      const std::string& text = texts_[text_];
      const size_t end = std::min(text.find('\n', at_), text.size());
      line_ = text.substr(at_, end - at_);
      at_ = end + 1;
      if (at_ >= text.size()) {
        ++text_;
        at_ = 0;
      }
    }
  }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::span<const std::string> texts_;
  size_t text_ = 0;
  size_t at_ = 0;
  std::string line_;
};

// The most common keys, at most `size` of them. Equally common keys are all kept or all dropped.
template <typename Key>
std::unordered_set<Key> commonest(const std::unordered_map<Key, int64_t>& counts, size_t size) {
  std::vector<int64_t> sorted;
  for (const auto& [key, count] : counts) sorted.push_back(count);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const int64_t too_rare = size < sorted.size() ? sorted[size] : 0;
  std::unordered_set<Key> kept;
  for (const auto& [key, count] : counts) {
    if (count > too_rare) kept.insert(key);
  }
  return kept;
}

// Prepares the texts for the trainer. Every rare character becomes a line feed, and will later be encoded as bytes. The
// other characters get at most half of the vocabulary, so that there is room for words. A line feed is also inserted
// between two characters that are rarely neighbours. No piece can contain such a pair, since a piece is at most as
// common as each pair in it. This saves time: for each new piece the trainer visits a share of all different pairs.
std::vector<std::string> learnable(std::span<const std::string> texts, int64_t vocab_size) {
  constexpr size_t kPairsPerToken = 4;
  constexpr size_t kLongestLine = 4000;  // The trainer fails on words of about 10,000 characters.
  const auto pair = [](char32_t a, char32_t b) { return static_cast<uint64_t>(a) << 32 | b; };
  std::unordered_map<char32_t, int64_t> characters;
  std::unordered_map<uint64_t, int64_t> pairs;
  for (const std::string& text : texts) {
    char32_t last = '\n';
    for (size_t at = 0; at < text.size();) {
      const char32_t character = next_character(text, at);
      ++characters[character];
      ++pairs[pair(std::exchange(last, character), character)];
    }
  }
  for (const char32_t character : kReserved) characters.erase(character);
  const auto kept = commonest(characters, static_cast<size_t>((vocab_size - kFixedTokens) / 2));
  const auto kept_pairs = commonest(pairs, static_cast<size_t>(vocab_size) * kPairsPerToken);

  std::vector<std::string> result;
  for (const std::string& text : texts) {
    std::string& plain = result.emplace_back();
    char32_t last = '\n';
    size_t line = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t from = at;
      const char32_t character = next_character(text, at);
      const bool is_rare = !kept_pairs.contains(pair(std::exchange(last, character), character));
      if (is_rare || plain.size() - line > kLongestLine) {
        plain += '\n';
        line = plain.size();
      }
      if (kept.contains(character)) {
        plain.append(text, from, at - from);
      } else {
        plain += '\n';
      }
      if (plain.ends_with('\n')) line = plain.size();
    }
  }
  return result;
}

}  // namespace

std::string train_sentencepiece(std::span<const std::string> texts, int64_t vocab_size) {
  if (vocab_size < kMinVocab) {
    throw Error("tokenizer: {} tokens asked for, expected {} or more: {} are bytes and markers", vocab_size, kMinVocab,
                kFixedTokens);
  }
  std::string symbols = "\n";
  for (const std::string_view marker : kMarkers) symbols += fmt::format(",{}", marker);
  for (const std::string& text : texts) check_utf8(text, "text to learn from");
  const std::vector<std::string> plain = learnable(texts, vocab_size);
  Lines lines(plain);
  if (lines.done()) throw Error("tokenizer: no text to learn from");
  std::string model;
  const sentencepiece::util::Status status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                  {"vocab_size", std::to_string(vocab_size)},
                                                  {"hard_vocab_limit", "false"},
                                                  {"num_threads", "1"},  // The trainer writes it into the file.
                                                  {"pad_id", std::to_string(kPadId)},
                                                  {"bos_id", std::to_string(kBosId)},
                                                  {"eos_id", std::to_string(kEosId)},
                                                  {"unk_id", std::to_string(kUnkId)},
                                                  {"user_defined_symbols", symbols},
                                                  {"byte_fallback", "true"},
                                                  {"split_digits", "true"},
                                                  {"character_coverage", "1.0"},
                                                  {"normalization_rule_name", "identity"},
                                                  {"add_dummy_prefix", "false"},
                                                  {"remove_extra_whitespaces", "false"},
                                                  {"max_sentence_length", "100000"},
                                                  {"minloglevel", "2"}},
                                                 &lines, &model);
  if (!status.ok()) throw Error("tokenizer: {} tokens: {}", vocab_size, status.ToString());
  return model;
}

}  // namespace tinyllm
