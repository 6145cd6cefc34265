#include <tinyllm/model/text/spm/spm_tokenizer.h>

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/model/text/fallback_byte.h>
#include <tinyllm/model/text/hf/config_tokens.h>
#include <tinyllm/model/text/sentencepiece_file.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/text/spm/spm_normalizer.h>
#include <tinyllm/model/text/spm/unigram.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <map>

namespace tinyllm {
namespace {

using Type = SentencePiece::Type;

constexpr uint64_t kMaxFileBytes = uint64_t{128} << 20;
constexpr std::string_view kBlank = "\u2581";

bool looks_like_marker(std::string_view text) {
  return text.size() > 2 &&
         ((text.front() == '<' && text.back() == '>') || (text.front() == '[' && text.back() == ']'));
}

std::string with_blanks(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const bool is_blank = text.substr(at).starts_with(kBlank);
    result += is_blank ? ' ' : text[at];
    at += is_blank ? kBlank.size() : 1;
  }
  return result;
}

}  // namespace

struct SpmTokenizer::State {
  std::string bytes;
  SentencePieceFile file;
  SpmNormalizer normalizer;
  TextTrie kept;             // User-defined pieces: normalisation does not change them.
  TextTrie kept_no_markers;  // The same without markers.
  std::vector<std::string> decoded;
  std::map<std::string, int32_t, std::less<>> special;
  std::array<int32_t, 256> byte_id{};
  int32_t unknown = -1;
  // The model's type decides which one of these three is used.
  std::unique_ptr<const Bpe> bpe;
  std::unique_ptr<const Unigram> unigram;
  std::map<std::string, int32_t, std::less<>> words;
  HfConfigTokens named;
  std::map<std::string, std::string> beside;  // Other files of the model.

  State(std::string read, std::string_view what) : bytes(std::move(read)), file(read_sentencepiece_file(bytes, what)) {
    if (file.has_denormalizer) throw Error("{}: a map for decoded text is not supported", what);
    normalizer = {CharsMap(file.characters_map, what), file.add_dummy_prefix, file.blank_as_suffix,
                  file.remove_extra_blanks, file.escape_blanks};
    byte_id.fill(-1);
    for (size_t i = 0; i < file.pieces.size(); ++i) add(file.pieces[i], static_cast<int32_t>(i), what);
    if (unknown < 0) throw Error("{}: has no unknown token", what);
    for (int byte = 0; file.byte_fallback && byte < 256; ++byte) {
      if (byte_id[static_cast<size_t>(byte)] < 0) throw Error("{}: has no token <0x{:02X}>", what, byte);
    }
    if (file.model == SentencePieceFile::Model::unigram) {
      make_unigram();
    } else if (file.model != SentencePieceFile::Model::word) {
      make_bpe(what);
    }
    const auto is_token = [&](int32_t id) { return id >= 0 && id < std::ssize(file.pieces); };
    if (is_token(file.end_id)) named.ends = {file.end_id};
    if (is_token(file.pad_id)) named.pad = file.pad_id;
  }

  void read_config(const ModelFiles& files) {
    HfConfigTokens found = read_hf_config_tokens(files, [&](std::string_view text) -> std::optional<int32_t> {
      const auto known = special.find(text);
      return known != special.end() ? std::optional(known->second) : std::nullopt;
    });
    std::erase_if(found.ends, [&](int32_t token) { return token >= std::ssize(file.pieces); });
    if (!found.ends.empty()) named.ends = std::move(found.ends);
    if (found.pad) named.pad = found.pad;
    named.before = std::move(found.before);
    beside = side_files(files);
  }

  void add(const SentencePiece& piece, int32_t id, std::string_view what) {
    std::string text;
    switch (piece.type) {
      case Type::normal:
        text = with_blanks(piece.text);
        if (file.model == SentencePieceFile::Model::word) words.emplace(piece.text, id);
        break;
      case Type::user_defined:
        text = with_blanks(piece.text);
        kept.add(piece.text, id);
        if (looks_like_marker(piece.text)) {
          special.emplace(piece.text, id);
        } else {
          kept_no_markers.add(piece.text, id);
        }
        break;
      case Type::byte: {
        const std::optional<char> byte = fallback_byte(piece.text);
        if (!byte) throw Error("{}: piece {} is not a byte, as <0x41>", what, id);
        byte_id[static_cast<unsigned char>(*byte)] = id;
        text = *byte;
        break;
      }
      case Type::unknown:
        if (unknown >= 0) throw Error("{}: piece {} is a second unknown token", what, id);
        unknown = id;
        text = file.unknown_text;
        special.emplace(piece.text, id);
        break;
      case Type::control:
      case Type::unused:
        special.emplace(piece.text, id);
        break;
    }
    decoded.push_back(std::move(text));
  }

  void make_bpe(std::string_view what) {
    const bool merges = file.model == SentencePieceFile::Model::bpe;
    std::vector<Bpe::Piece> pieces;
    for (const SentencePiece& piece : file.pieces) {
      Bpe::Piece made{piece.text, piece.score, Bpe::Kind::control};
      if (piece.type == Type::normal && (merges || count_of_characters(piece.text) == 1)) made.kind = Bpe::Kind::merged;
      if (piece.type == Type::byte && file.byte_fallback) {
        made.text = *fallback_byte(piece.text);
        made.kind = Bpe::Kind::byte;
      }
      if (piece.type == Type::user_defined) {
        made.kind = looks_like_marker(piece.text) ? Bpe::Kind::spelled : Bpe::Kind::whole;
      }
      pieces.push_back(std::move(made));
    }
    const Bpe::Options options{.refuse_unmade = false, .unknown = unknown, .fuse_unknown = true};
    bpe = std::make_unique<const Bpe>(pieces, options, what);
  }

  void make_unigram() {
    std::vector<Unigram::Piece> pieces;
    for (const SentencePiece& piece : file.pieces) {
      using Kind = Unigram::Piece::Kind;
      const Kind kind = piece.type == Type::normal         ? Kind::scored
                        : piece.type == Type::user_defined ? Kind::fixed
                                                           : Kind::none;
      pieces.push_back({piece.text, piece.score, kind});
    }
    unigram = std::make_unique<const Unigram>(pieces, unknown);
  }

  std::vector<int32_t> encode(std::string_view text, bool with_markers) const {
    const std::string normal = normalizer.apply(text, with_markers ? kept : kept_no_markers);
    std::vector<int32_t> tokens;
    if (bpe) {
      bpe->encode(normal, with_markers, tokens);
      return tokens;
    }
    bool after_unknown = false;
    const std::vector<Unigram::Found> pieces =
        unigram ? unigram->split(normal, with_markers ? kept : kept_no_markers) : split_words(normal);
    for (const Unigram::Found& found : pieces) {
      const bool is_unknown = found.token == unknown;
      if (is_unknown && file.byte_fallback) {
        for (const char byte : found.text) tokens.push_back(byte_id[static_cast<unsigned char>(byte)]);
      } else if (!is_unknown || !after_unknown) {
        tokens.push_back(found.token);
      }
      after_unknown = is_unknown;
    }
    return tokens;
  }

  // Each U+2581 begins a word.
  std::vector<Unigram::Found> split_words(std::string_view text) const {
    std::vector<Unigram::Found> found;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(kBlank, at + 1), text.size());
      const std::string_view word = text.substr(at, end - at);
      const auto known = words.find(word);
      found.push_back({word, known != words.end() ? known->second : unknown});
      at = end;
    }
    return found;
  }

  size_t index(int32_t token) const {
    if (token < 0 || token >= std::ssize(decoded)) {
      throw Error("tokenizer: token {}, expected 0 to {}", token, decoded.size() - 1);
    }
    return static_cast<size_t>(token);
  }
};

SpmTokenizer::SpmTokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

SpmTokenizer SpmTokenizer::parse(std::string bytes, std::string_view what) {
  return SpmTokenizer(std::make_shared<const State>(std::move(bytes), what));
}

SpmTokenizer SpmTokenizer::load(const std::filesystem::path& file) {
  const auto state = std::make_shared<State>(read_file(file, kMaxFileBytes), file.string());
  state->read_config(file.parent_path());
  return SpmTokenizer(state);
}

std::map<std::string, std::string> SpmTokenizer::files() const {
  std::map<std::string, std::string> files = state_->beside;
  files.insert_or_assign(kTokenizerFile, state_->bytes);
  return files;
}

SpmTokenizer SpmTokenizer::with_end(int32_t token) const {
  const auto state = std::make_shared<State>(state_->bytes, kTokenizerFile);
  state->read_config(ModelFiles("tokenizer", with_end_token(files(), token, std::string(piece(token)))));
  const auto add = [&](int32_t end) {
    std::vector<int32_t>& ends = state->named.ends;
    if (std::find(ends.begin(), ends.end(), end) == ends.end()) ends.push_back(end);
  };
  for (const int32_t end : state_->named.ends) add(end);
  return SpmTokenizer(state);
}

std::span<const int32_t> SpmTokenizer::before_text() const { return state_->named.before; }

int64_t SpmTokenizer::size() const { return std::ssize(state_->decoded); }
uint64_t SpmTokenizer::hash() const { return XXH3_64bits(state_->bytes.data(), state_->bytes.size()); }

std::vector<int32_t> SpmTokenizer::encode_utf8(std::string_view text) const { return state_->encode(text, false); }
std::vector<int32_t> SpmTokenizer::encode_with_added(std::string_view text) const { return state_->encode(text, true); }

std::string SpmTokenizer::decode(std::span<const int32_t> tokens) const {
  std::string text;
  for (const int32_t token : tokens) text += state_->decoded[state_->index(token)];
  return text;
}

std::string SpmTokenizer::decode_text(std::span<const int32_t> tokens) const {
  const bool strips = state_->file.add_dummy_prefix || state_->file.remove_extra_blanks;
  bool at_begin = strips;
  std::string text;
  for (const int32_t token : tokens) {
    const size_t i = state_->index(token);
    std::string_view part = state_->decoded[i];
    const Type type = state_->file.pieces[i].type;
    const bool has_blank = type != Type::byte && type != Type::unknown && part.starts_with(' ');
    if (at_begin && has_blank) part.remove_prefix(1);
    // With `remove_extra_blanks`, every blank at the beginning is removed. Otherwise only the first one is.
    if (!part.empty() || (has_blank && !state_->file.remove_extra_blanks)) at_begin = false;
    text += part;
  }
  return text;
}

std::string_view SpmTokenizer::piece(int32_t token) const {
  const size_t i = state_->index(token);
  return state_->decoded[i].empty() ? state_->file.pieces[i].text : state_->decoded[i];
}

std::optional<int32_t> SpmTokenizer::special(std::string_view text) const {
  const auto found = state_->special.find(text);
  return found != state_->special.end() ? std::optional(found->second) : std::nullopt;
}

std::span<const int32_t> SpmTokenizer::end_tokens() const {
  if (state_->named.ends.empty()) throw Error("tokenizer: no file names an end token (eos_token)");
  return state_->named.ends;
}

int32_t SpmTokenizer::pad() const { return state_->named.pad.value_or(end_tokens().front()); }

}  // namespace tinyllm
