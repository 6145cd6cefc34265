#include <tinyllm/model/text/sentencepiece_tokenizer.h>

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/model/text/fallback_byte.h>
#include <tinyllm/model/text/markers.h>
#include <tinyllm/model/text/sentencepiece_file.h>
#include <tinyllm/model/text/sentencepiece_train.h>
#include <tinyllm/tensor/base/file.h>

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <map>

namespace tinyllm {
namespace {

// SentencePiece writes a blank as U+2581.
constexpr std::string_view kBlankSymbol = "\u2581";

}  // namespace

struct SentencePieceTokenizer::State {
  std::string model;
  std::vector<Bpe::Piece> pieces;
  std::map<std::string, int32_t, std::less<>> special;
  std::map<int32_t, std::string> control;  // The texts of control tokens, which have no bytes.
  std::unique_ptr<const Bpe> bpe;

  State(std::string serialized, std::string_view what) : model(std::move(serialized)) {
    const std::vector<SentencePiece> read = read_sentencepieces(model, what);
    check_first(read, what);
    std::array<bool, 256> has_byte{};
    for (const SentencePiece& piece : read) {
      pieces.push_back(piece_of(piece, fmt::format("{}: piece {}", what, pieces.size())));
      if (piece.type == SentencePiece::Type::byte) has_byte[static_cast<unsigned char>(pieces.back().text[0])] = true;
    }
    for (const std::string_view marker : kMarkers) {
      if (!special.contains(marker)) throw Error("{}: has no token {}", what, marker);
    }
    const auto missing = std::find(has_byte.begin(), has_byte.end(), false);
    if (missing != has_byte.end()) throw Error("{}: has no token <0x{:02X}>", what, missing - has_byte.begin());
    bpe = std::make_unique<const Bpe>(pieces, what);
  }

  std::string_view bytes(int32_t token) const {
    if (token < 0 || token >= next_id()) throw Error("tokenizer: token {}, expected 0 to {}", token, next_id() - 1);
    return pieces[static_cast<size_t>(token)].text;
  }

  int32_t next_id() const { return static_cast<int32_t>(pieces.size()); }

  static void check_first(std::span<const SentencePiece> read, std::string_view what) {
    using Type = SentencePiece::Type;
    const struct {
      int32_t id;
      std::string_view text;
      Type type;
    } first[] = {{kPadId, "<pad>", Type::control},
                 {kBosId, "<s>", Type::control},
                 {kEosId, kEndToken, Type::control},
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
        if (next_id() != kUnkId) throw Error("{}: is a second unknown token", name);
        break;
      case SentencePiece::Type::control:
      case SentencePiece::Type::unused:
        break;
    }
    special.emplace(piece.text, next_id());
    control.emplace(next_id(), piece.text);
    return {};
  }

  static char byte_of(std::string_view text, const std::string& name) {
    const std::optional<char> byte = fallback_byte(text);
    if (!byte) throw Error("{}: is not a byte, as <0x41>", name);
    return *byte;
  }

  Bpe::Kind fixed_kind(std::string_view text, const std::string& name) {
    if (text == "\n") return Bpe::Kind::whole;
    if (std::find(kMarkers.begin(), kMarkers.end(), text) != kMarkers.end()) {
      special.emplace(text, next_id());
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

SentencePieceTokenizer::SentencePieceTokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

SentencePieceTokenizer SentencePieceTokenizer::train(std::span<const std::string> texts, const TrainOptions& options) {
  return SentencePieceTokenizer(
      std::make_shared<const State>(train_sentencepiece(texts, options.vocab_size), "tokenizer"));
}

SentencePieceTokenizer SentencePieceTokenizer::load(const std::filesystem::path& file) {
  return SentencePieceTokenizer(std::make_shared<const State>(read_file(file), file.string()));
}

void SentencePieceTokenizer::save_file(const std::filesystem::path& file) const { write_file(file, state_->model); }
std::map<std::string, std::string> SentencePieceTokenizer::files() const { return {{kTokenizerFile, state_->model}}; }

int64_t SentencePieceTokenizer::size() const { return std::ssize(state_->pieces); }
uint64_t SentencePieceTokenizer::hash() const { return XXH3_64bits(state_->model.data(), state_->model.size()); }

std::vector<int32_t> SentencePieceTokenizer::encode_utf8(std::string_view text) const {
  std::vector<int32_t> tokens;
  state_->bpe->encode(text, tokens);
  return tokens;
}

std::string SentencePieceTokenizer::decode(std::span<const int32_t> tokens) const {
  std::string text;
  for (const int32_t token : tokens) text += state_->bytes(token);
  return text;
}

std::string_view SentencePieceTokenizer::piece(int32_t token) const {
  const auto control = state_->control.find(token);
  return control == state_->control.end() ? state_->bytes(token) : control->second;
}

std::optional<int32_t> SentencePieceTokenizer::special(std::string_view text) const {
  const auto found = state_->special.find(text);
  return found == state_->special.end() ? std::nullopt : std::optional(found->second);
}

std::span<const int32_t> SentencePieceTokenizer::end_tokens() const {
  static constexpr std::array kEnds = {kEosId};
  return kEnds;
}

int32_t SentencePieceTokenizer::pad() const { return kPadId; }

}  // namespace tinyllm
