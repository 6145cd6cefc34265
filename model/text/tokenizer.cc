#include <tinyllm/model/text/tokenizer.h>

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/model/text/sentencepiece_file.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <sentencepiece_trainer.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

namespace tinyllm {
namespace {

constexpr std::array kMarkers = {Marker::system, Marker::user, Marker::assistant, Marker::sep};
constexpr int64_t kFixedTokens = 4 + 4 + 1 + 256;  // Controls, markers, the line feed, bytes.
constexpr int64_t kMinVocab = 300;
// SentencePiece writes a blank as this character.
constexpr std::string_view kBlankSymbol = "\u2581";
// Characters that the trainer of SentencePiece reserves: it would take the first for a blank, and skips every line that
// has the second. Both are given as bytes.
constexpr char32_t kReserved[] = {U'\u2581', U'\u2585'};

// The lines of all texts, for the trainer.
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

// The commonest keys: at most `size` of them, and of equally common ones all or none.
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

// The texts as the trainer should see them. A line feed replaces each rare character: those left get at most half of
// the vocabulary, so that there is room for words, and the rare ones will be encoded as bytes. A line feed also
// separates two characters that are rarely neighbours: no piece will hold both, since every piece is at most as common
// as each pair in it. This saves time, since the trainer goes through a share of all different pairs for each new
// piece.
std::vector<std::string> learnable(std::span<const std::string> texts, int64_t vocab_size) {
  constexpr size_t kPairsPerToken = 4;
  constexpr size_t kLongestLine = 4000;  // The trainer fails at words of some ten thousand characters.
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

struct Tokenizer::State {
  std::string model;
  std::vector<Bpe::Piece> pieces;
  std::array<int32_t, kMarkers.size()> marker_id{};
  std::unique_ptr<const Bpe> bpe;

  State(std::string serialized, std::string_view what) : model(std::move(serialized)) {
    const std::vector<SentencePiece> read = read_sentencepieces(model, what);
    check_first(read, what);
    std::array<bool, 256> has_byte{};
    marker_id.fill(-1);
    for (const SentencePiece& piece : read) {
      pieces.push_back(piece_of(piece, fmt::format("{}: piece {}", what, pieces.size())));
      if (piece.type == SentencePiece::Type::byte) has_byte[static_cast<unsigned char>(pieces.back().text[0])] = true;
    }
    for (const Marker marker : kMarkers) {
      if (id(marker) < 0) throw Error("{}: has no token {}", what, text_of(marker));
    }
    const auto missing = std::find(has_byte.begin(), has_byte.end(), false);
    if (missing != has_byte.end()) throw Error("{}: has no token <0x{:02X}>", what, missing - has_byte.begin());
    bpe = std::make_unique<const Bpe>(pieces, what);
  }

  int32_t& id(Marker marker) { return marker_id[static_cast<size_t>(marker)]; }

  static void check_first(std::span<const SentencePiece> read, std::string_view what) {
    using Type = SentencePiece::Type;
    const struct {
      int32_t id;
      std::string_view text;
      Type type;
    } first[] = {{kPadId, "<pad>", Type::control},
                 {kBosId, "<s>", Type::control},
                 {kEosId, "</s>", Type::control},
                 {kUnkId, "<unk>", Type::unknown}};
    for (const auto& [id, text, type] : first) {
      const auto i = static_cast<size_t>(id);
      if (read.size() <= i || read[i].text != text || read[i].type != type) {
        throw Error("{}: piece {} is not {}", what, id, text);
      }
    }
  }

  // `name` names the piece in errors.
  Bpe::Piece piece_of(const SentencePiece& piece, const std::string& name) {
    switch (piece.type) {
      case SentencePiece::Type::byte:
        return {std::string(1, byte_of(piece.text, name)), 0, Bpe::Kind::byte};
      case SentencePiece::Type::user_defined:
        return {piece.text, 0, fixed_kind(piece.text, name)};
      case SentencePiece::Type::normal:
        return {with_blanks(piece.text, name), piece.score, Bpe::Kind::merged};
      case SentencePiece::Type::unknown:
        if (pieces.size() != static_cast<size_t>(kUnkId)) throw Error("{}: is a second unknown token", name);
        break;
      case SentencePiece::Type::control:
      case SentencePiece::Type::unused:
        break;
    }
    return {};
  }

  static char byte_of(std::string_view text, const std::string& name) {
    unsigned byte = 0;
    if (text.size() == 6) std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
    if (text != fmt::format("<0x{:02X}>", byte)) throw Error("{}: is not a byte, as <0x41>", name);
    return static_cast<char>(byte);
  }

  Bpe::Kind fixed_kind(std::string_view text, const std::string& name) {
    if (text == "\n") return Bpe::Kind::whole;
    for (const Marker marker : kMarkers) {
      if (text != text_of(marker)) continue;
      id(marker) = static_cast<int32_t>(pieces.size());
      return Bpe::Kind::spelled;
    }
    throw Error("{}: is user-defined, expected that of the line feed and the markers only", name);
  }

  static std::string with_blanks(std::string_view text, const std::string& name) {
    if (text.find(' ') != std::string_view::npos) throw Error("{}: has a blank, expected U+2581", name);
    std::string result;
    for (size_t i = 0; i < text.size();) {
      const bool is_blank = text.substr(i).starts_with(kBlankSymbol);
      result += is_blank ? ' ' : text[i];
      i += is_blank ? kBlankSymbol.size() : 1;
    }
    return result;
  }
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::train(std::span<const std::string> texts, const TrainOptions& options) {
  if (options.vocab_size < kMinVocab) {
    throw Error("tokenizer: {} tokens asked for, expected {} or more: {} are bytes and markers", options.vocab_size,
                kMinVocab, kFixedTokens);
  }
  std::string symbols = "\n";
  for (const Marker marker : kMarkers) symbols += fmt::format(",{}", text_of(marker));
  for (const std::string& text : texts) check_utf8(text, "text to learn from");
  const std::vector<std::string> plain = learnable(texts, options.vocab_size);
  Lines lines(plain);
  if (lines.done()) throw Error("tokenizer: no text to learn from");
  std::string model;
  const sentencepiece::util::Status status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                  {"vocab_size", std::to_string(options.vocab_size)},
                                                  {"hard_vocab_limit", "false"},
                                                  {"num_threads", "1"},  // Written into the file.
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
  if (!status.ok()) throw Error("tokenizer: {} tokens: {}", options.vocab_size, status.ToString());
  return Tokenizer(std::make_unique<State>(std::move(model), "tokenizer"));
}

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::is_directory(path) ? path / kTokenizerFile : path;
  return Tokenizer(std::make_unique<State>(read_file(file), file.string()));
}

void Tokenizer::save(const std::filesystem::path& path) const { write_file(path, state_->model); }

int64_t Tokenizer::size() const { return static_cast<int64_t>(state_->pieces.size()); }
uint64_t Tokenizer::hash() const { return XXH3_64bits(state_->model.data(), state_->model.size()); }
int32_t Tokenizer::id(Marker marker) const { return state_->marker_id[static_cast<size_t>(marker)]; }

std::vector<int32_t> Tokenizer::encode(std::string_view text, OnInvalid on_invalid) const {
  std::vector<int32_t> tokens;
  if (on_invalid == OnInvalid::replace) {
    state_->bpe->encode(replace_invalid_utf8(text), tokens);
    return tokens;
  }
  check_utf8(text, "text to encode");
  state_->bpe->encode(text, tokens);
  return tokens;
}

std::string Tokenizer::decode(std::span<const int32_t> tokens) const {
  std::string text;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= size()) throw Error("tokenizer: token {}, expected 0 to {}", token, size() - 1);
    text += state_->pieces[static_cast<size_t>(token)].text;
  }
  return text;
}

std::string_view text_of(Marker marker) {
  switch (marker) {
    case Marker::system:
      return "<|system|>";
    case Marker::user:
      return "<|user|>";
    case Marker::assistant:
      return "<|assistant|>";
    case Marker::sep:
      return "<|sep|>";
  }
  return {};
}

}  // namespace tinyllm
