#include <tinyllm/model/tokenizer.h>

#include <tinyllm/model/file.h>

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

// The next place from `from` on where the text must be cut so that no special piece matches: inside a marker, and
// around characters that are given as bytes.
struct Cut {
  size_t at;
  size_t as_bytes;  // How many bytes from there on become byte tokens.
};
Cut next_cut(std::string_view text, size_t from) {
  Cut cut{text.size(), 0};
  for (const Marker marker : kMarkers) {
    const size_t found = text.find(text_of(marker), from);
    if (found != std::string_view::npos && found + 1 < cut.at) cut = {found + 1, 0};
  }
  for (const std::string_view special : {kBlankSymbol, std::string_view("\0", 1)}) {
    const size_t found = text.find(special, from);
    if (found != std::string_view::npos && found < cut.at) cut = {found, special.size()};
  }
  return cut;
}

}  // namespace

// The UTF-8 character at the front of a text that is UTF-8.
std::string_view first_character(std::string_view text) {
  size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return text.substr(0, size);
}

// The texts with line feeds in place of their rarest characters, so that those left fill half of a vocabulary at most
// and there is room for words: the rare ones will be given as bytes.
std::vector<std::string> without_rare_characters(std::span<const std::string> texts, int64_t vocab_size) {
  std::unordered_map<std::string_view, int64_t> counts;
  for (const std::string& text : texts) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view character = first_character(rest);
      ++counts[character];
      rest.remove_prefix(character.size());
    }
  }
  std::vector<std::pair<int64_t, std::string_view>> commonest;
  for (const auto& [character, count] : counts) commonest.emplace_back(-count, character);
  std::sort(commonest.begin(), commonest.end());
  commonest.resize(std::min(commonest.size(), static_cast<size_t>((vocab_size - kFixedTokens) / 2)));
  std::unordered_set<std::string_view> kept;
  for (const auto& [count, character] : commonest) kept.insert(character);

  std::vector<std::string> result;
  for (const std::string& text : texts) {
    std::string& plain = result.emplace_back();
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view character = first_character(rest);
      plain += kept.contains(character) ? character : "\n";
      rest.remove_prefix(character.size());
    }
  }
  return result;
}

struct Tokenizer::State {
  sentencepiece::SentencePieceProcessor processor;
  std::string model;
  std::vector<std::string> bytes;  // Of each token.
  std::array<int32_t, 256> byte_id{};
  std::array<int32_t, kMarkers.size()> marker_id{};

  State(std::string serialized, std::string_view what) : model(std::move(serialized)) {
    if (!processor.LoadFromSerializedProto(model).ok()) throw Error("{}: is not a SentencePiece model", what);
    if (processor.pad_id() != kPadId || processor.bos_id() != kBosId || processor.eos_id() != kEosId ||
        processor.unk_id() != kUnkId) {
      throw Error("{}: pad, bos, eos and unk are {}, {}, {} and {}, expected 0, 1, 2 and 3", what, processor.pad_id(),
                  processor.bos_id(), processor.eos_id(), processor.unk_id());
    }
    for (const Marker marker : kMarkers) marker_id[static_cast<size_t>(marker)] = find(text_of(marker), what);
    for (size_t byte = 0; byte < byte_id.size(); ++byte) byte_id[byte] = find(fmt::format("<0x{:02X}>", byte), what);
    for (int id = 0; id < processor.GetPieceSize(); ++id) bytes.push_back(bytes_of(id));
  }

  int32_t find(std::string_view piece, std::string_view what) const {
    const int id = processor.PieceToId(std::string(piece));
    if (id == kUnkId) throw Error("{}: has no token {}", what, piece);
    return id;
  }

  std::string bytes_of(int id) const {
    if (processor.IsControl(id) || processor.IsUnknown(id)) return {};
    const std::string& piece = processor.IdToPiece(id);
    if (processor.IsByte(id)) return std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)));
    std::string text;
    for (size_t i = 0; i < piece.size();) {
      const bool blank = piece.compare(i, kBlankSymbol.size(), kBlankSymbol) == 0;
      text += blank ? ' ' : piece[i];
      i += blank ? kBlankSymbol.size() : 1;
    }
    return text;
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
  const std::vector<std::string> common = without_rare_characters(texts, options.vocab_size);
  Lines lines(common);
  if (lines.done()) throw Error("tokenizer: no text to learn from");
  std::string model;
  const sentencepiece::util::Status status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                  {"vocab_size", std::to_string(options.vocab_size)},
                                                  {"hard_vocab_limit", "false"},
                                                  {"num_threads", std::to_string(options.threads)},
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
  return Tokenizer(std::make_unique<State>(read_file(path), path.string()));
}

void Tokenizer::save(const std::filesystem::path& path) const { write_file(path, state_->model); }

int64_t Tokenizer::size() const { return static_cast<int64_t>(state_->bytes.size()); }
uint64_t Tokenizer::hash() const { return XXH3_64bits(state_->model.data(), state_->model.size()); }
int32_t Tokenizer::id(Marker marker) const { return state_->marker_id[static_cast<size_t>(marker)]; }

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  check_utf8(text, "text to encode");
  std::vector<int32_t> tokens;
  for (size_t from = 0; from < text.size();) {
    const Cut cut = next_cut(text, from);
    const std::vector<int> ids = state_->processor.EncodeAsIds(std::string(text.substr(from, cut.at - from)));
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    for (size_t i = 0; i < cut.as_bytes; ++i) {
      tokens.push_back(state_->byte_id[static_cast<unsigned char>(text[cut.at + i])]);
    }
    from = cut.at + cut.as_bytes;
  }
  return tokens;
}

std::string Tokenizer::decode(std::span<const int32_t> tokens) const {
  std::string text;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= size()) throw Error("tokenizer: token {}, expected 0 to {}", token, size() - 1);
    text += state_->bytes[static_cast<size_t>(token)];
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
