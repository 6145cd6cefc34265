#include <tinyllm/model/text/tokenizer.h>

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

namespace tinyllm {
namespace {

constexpr std::array kMarkers = {Marker::system, Marker::user, Marker::assistant, Marker::sep};
constexpr int64_t kFixedTokens = 4 + 4 + 1 + 256;  // Controls, markers, the line feed, bytes.
constexpr int64_t kMinVocab = 300;
// SentencePiece writes a blank as this character, so that a text which has it would come back with a blank.
constexpr std::string_view kBlankSymbol = "\xE2\x96\x81";

// Lines of texts, one after the other, for the trainer.
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

// What is commonest among `counts`: at most `size` of them, and of those that are equally common either all or none.
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

// The texts with line feeds in place of their rarest characters, so that those left fill half of a vocabulary at most
// and there is room for words: the rare ones will be given as bytes. And with line feeds between two characters that
// stand side by side so rarely that no piece will have both: each piece is made of pairs that are at least as common
// as itself. The trainer goes through a share of all different pairs for each piece: most are rare.
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
  sentencepiece::SentencePieceProcessor processor;
  std::string model;
  std::vector<Bpe::Piece> pieces;
  std::array<int32_t, kMarkers.size()> marker_id{};
  std::unique_ptr<const Bpe> bpe;

  State(std::string serialized, std::string_view what) : model(std::move(serialized)) {
    if (!processor.LoadFromSerializedProto(model).ok()) throw Error("{}: is not a SentencePiece model", what);
    if (processor.pad_id() != kPadId || processor.bos_id() != kBosId || processor.eos_id() != kEosId ||
        processor.unk_id() != kUnkId) {
      throw Error("{}: pad, bos, eos and unk are {}, {}, {} and {}, expected 0, 1, 2 and 3", what, processor.pad_id(),
                  processor.bos_id(), processor.eos_id(), processor.unk_id());
    }
    for (const Marker marker : kMarkers) marker_id[static_cast<size_t>(marker)] = find(text_of(marker), what);
    for (int byte = 0; byte < 256; ++byte) find(fmt::format("<0x{:02X}>", byte), what);
    for (int id = 0; id < processor.GetPieceSize(); ++id) {
      check_utf8(processor.IdToPiece(id), fmt::format("{}: piece {}", what, id));
      pieces.push_back(piece(id));
    }
    bpe = std::make_unique<const Bpe>(pieces);
    check_encoding(what);
  }

  int32_t find(std::string_view piece, std::string_view what) const {
    const int id = processor.PieceToId(std::string(piece));
    if (id == kUnkId) throw Error("{}: has no token {}", what, piece);
    return id;
  }

  Bpe::Piece piece(int id) const {
    if (processor.IsControl(id) || processor.IsUnknown(id) || processor.IsUnused(id)) return {};
    const std::string& text = processor.IdToPiece(id);
    if (processor.IsByte(id)) {
      return {std::string(1, static_cast<char>(std::stoi(text.substr(3, 2), nullptr, 16))), 0, Bpe::Kind::byte};
    }
    Bpe::Piece piece{{}, processor.GetScore(id), Bpe::Kind::merged};
    if (text == "\n") piece.kind = Bpe::Kind::whole;
    if (std::count(marker_id.begin(), marker_id.end(), id) > 0) piece.kind = Bpe::Kind::spelled;
    for (size_t i = 0; i < text.size();) {
      const bool blank = text.compare(i, kBlankSymbol.size(), kBlankSymbol) == 0;
      piece.text += blank ? ' ' : text[i];
      i += blank ? kBlankSymbol.size() : 1;
    }
    return piece;
  }

  // A model of another kind (unigrams, normalisation, a blank put in front) would be read, but not encoded as it says.
  void check_encoding(std::string_view what) const {
    std::string text = "\uFF21A";
    if (processor.PieceToId(std::string(kBlankSymbol)) != kUnkId) text = "  " + text + "   ";
    for (size_t i = 0; i < pieces.size() && text.size() < 4000; i += 1 + pieces.size() / 500) {
      if (pieces[i].kind == Bpe::Kind::merged) text += pieces[i].text;
    }
    std::vector<int32_t> tokens;
    bpe->encode(text, tokens);
    if (processor.EncodeAsIds(text) != tokens) {
      throw Error("{}: is no byte pair encoding without normalisation, as Tokenizer::train makes", what);
    }
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
