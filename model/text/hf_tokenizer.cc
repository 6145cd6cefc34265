#include <tinyllm/model/text/hf_tokenizer.h>

#include <tinyllm/model/text/hf/added_tokens.h>
#include <tinyllm/model/text/hf/config_tokens.h>
#include <tinyllm/model/text/hf/decoder.h>
#include <tinyllm/model/text/hf/normalizer.h>
#include <tinyllm/model/text/hf/pre_tokenizer.h>
#include <tinyllm/model/text/hf/template_tokens.h>
#include <tinyllm/model/text/hf/vocabulary.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <xxhash.h>

#include <algorithm>

namespace tinyllm {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{128} << 20;

// The usual end tokens, for when no file names one.
constexpr std::string_view kUsualEnds[] = {"</s>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>"};

struct Files {
  std::string tokenizer;
  std::map<std::string, std::string> others;  // By name.
};

}  // namespace

struct HfTokenizer::State {
  Files files;
  HfNormalizer normalizer;
  HfAddedTokens added;
  HfPreTokenizer pre_tokenizer;
  std::unique_ptr<const HfVocabulary> vocabulary;
  HfDecoder decoder;
  HfTemplateTokens around;
  std::vector<std::string> pieces;
  HfConfigTokens named;

  State(Files read, std::string_view what) : files(std::move(read)) {
    const Json json = parse_json_object(files.tokenizer, what);
    try {
      normalizer = HfNormalizer(find_field(json, "normalizer"));
      added = HfAddedTokens(find_field(json, "added_tokens"), normalizer);
      pre_tokenizer = HfPreTokenizer(find_field(json, "pre_tokenizer"));
      decoder = HfDecoder(find_field(json, "decoder"));
      around = read_hf_template(find_field(json, "post_processor"));
      vocabulary = std::make_unique<const HfVocabulary>(need_field(json, "model"), pre_tokenizer.byte_level(), added);
    } catch (const Error& error) {
      throw Error("{}: {}", what, error.what());
    }
    add_pieces();
    for (const auto* tokens : {&around.before, &around.after}) {
      for (const int32_t token : *tokens) check(token);
    }
    for (const std::string_view text : kUsualEnds) {
      const HfAddedTokens::Token* token = added.with_text(text);
      if (token != nullptr) named.ends.push_back(token->id);
    }
  }

  void read_config(const ModelFiles& beside) {
    const auto id_of = [&](std::string_view text) {
      const HfAddedTokens::Token* token = added.with_text(text);
      return token != nullptr ? std::optional(token->id) : std::nullopt;
    };
    HfConfigTokens found = read_hf_config_tokens(beside, id_of);
    if (found.ends.empty()) found.ends = named.ends;
    std::erase_if(found.ends, [&](int32_t token) { return token >= std::ssize(pieces); });
    named = std::move(found);
  }

  void add_pieces() {
    const std::vector<std::string>& texts = vocabulary->texts();
    pieces.resize(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) pieces[i] = decoder.bytes_of(texts[i]);
    for (const HfAddedTokens::Token& token : added.tokens()) {
      const auto i = static_cast<size_t>(token.id);
      if (pieces.size() <= i) pieces.resize(i + 1);
      pieces[i] = token.content;
    }
  }

  void check(int32_t token) const {
    if (token < 0 || token >= std::ssize(pieces)) {
      throw Error("tokenizer: token {}, expected 0 to {}", token, pieces.size() - 1);
    }
  }
  bool is_special(int32_t token) const {
    const HfAddedTokens::Token* found = added.with_id(token);
    return found != nullptr && found->special;
  }

  void encode_words(std::string_view text, bool is_first, std::vector<int32_t>& tokens) const {
    pre_tokenizer.split(text, is_first, [&](std::string_view word) { vocabulary->encode_word(word, tokens); });
  }

  // Encodes a text between two added tokens that were found in the raw text.
  void encode_part(std::string_view text, bool is_first, std::span<const TextRange> typed,
                   std::vector<int32_t>& tokens) const {
    if (!added.any_normalized()) return encode_words(normalizer.apply(text), is_first, tokens);
    // Each typed range is normalised by itself, so that its new position is known.
    std::string normal;
    std::vector<TextRange> normal_typed;
    size_t done = 0;
    const auto append = [&](size_t end) {
      normal += normalizer.apply(text.substr(done, end - done), done == 0);
      done = end;
    };
    for (const TextRange& range : typed) {
      append(range.begin);
      const size_t begin = normal.size();
      append(range.end);
      normal_typed.push_back({begin, normal.size()});
    }
    append(text.size());
    for (const HfAddedTokens::Part& part : added.split(normal, true, normal_typed)) {
      if (part.token != nullptr) {
        tokens.push_back(part.token->id);
      } else {
        const std::string_view rest =
            std::string_view(normal).substr(part.range.begin, part.range.end - part.range.begin);
        encode_words(rest, is_first && part.range.begin == 0, tokens);
      }
    }
  }
};

HfTokenizer::HfTokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

HfTokenizer HfTokenizer::parse(std::string json, std::string_view what) {
  return HfTokenizer(std::make_shared<const State>(Files{std::move(json), {}}, what));
}

HfTokenizer HfTokenizer::load(const ModelFiles& files, const std::string& name) {
  const auto state =
      std::make_shared<State>(Files{files.read(name, kMaxFileBytes), side_files(files)}, files.path(name));
  state->read_config(files);
  return HfTokenizer(state);
}

std::map<std::string, std::string> HfTokenizer::files() const {
  std::map<std::string, std::string> files = state_->files.others;
  files.emplace(kHfTokenizerFile, state_->files.tokenizer);
  return files;
}

HfTokenizer HfTokenizer::with_end(int32_t token) const {
  return load(ModelFiles("tokenizer", with_end_token(files(), token, std::string(piece(token)))));
}

int64_t HfTokenizer::size() const { return std::ssize(state_->pieces); }
uint64_t HfTokenizer::hash() const {
  return XXH3_64bits(state_->files.tokenizer.data(), state_->files.tokenizer.size());
}

std::vector<int32_t> HfTokenizer::encode_utf8(std::string_view text) const {
  std::vector<int32_t> tokens;
  state_->encode_words(state_->normalizer.apply(text), true, tokens);
  return tokens;
}

std::vector<int32_t> HfTokenizer::encode_with_added(std::string_view text, std::span<const TextRange> typed) const {
  std::vector<int32_t> tokens;
  size_t next = 0;  // The next typed range.
  for (const HfAddedTokens::Part& part : state_->added.split(text, false, typed)) {
    if (part.token != nullptr) {
      tokens.push_back(part.token->id);
      continue;
    }
    const auto [begin, end] = part.range;
    std::vector<TextRange> inside;
    while (next < typed.size() && typed[next].end <= begin) ++next;
    for (size_t i = next; i < typed.size() && typed[i].begin < end; ++i) {
      inside.push_back({std::max(typed[i].begin, begin) - begin, std::min(typed[i].end, end) - begin});
    }
    state_->encode_part(text.substr(begin, end - begin), begin == 0, inside, tokens);
  }
  return tokens;
}

std::vector<int32_t> HfTokenizer::encode_rendered(std::string_view text, std::span<const TextRange> special) const {
  check_utf8(text, "text to encode");
  std::vector<TextRange> typed;
  size_t done = 0;
  for (const TextRange& range : special) {
    if (done < range.begin) typed.push_back({done, range.begin});
    done = range.end;
  }
  if (done < text.size()) typed.push_back({done, text.size()});
  return encode_with_added(text, typed);
}

std::span<const int32_t> HfTokenizer::before_text() const { return state_->around.before; }
std::span<const int32_t> HfTokenizer::after_text() const { return state_->around.after; }

std::string HfTokenizer::decode(std::span<const int32_t> tokens) const {
  std::string text;
  for (const int32_t token : tokens) {
    state_->check(token);
    if (!state_->is_special(token)) text += state_->pieces[static_cast<size_t>(token)];
  }
  return text;
}

std::string HfTokenizer::decode_text(std::span<const int32_t> tokens, bool with_special) const {
  std::vector<std::string> texts;
  for (const int32_t token : tokens) {
    state_->check(token);
    if (!with_special && state_->is_special(token)) continue;
    const HfAddedTokens::Token* found = state_->added.with_id(token);
    const std::vector<std::string>& vocabulary = state_->vocabulary->texts();
    if (found != nullptr) {
      texts.push_back(found->content);
    } else if (token < std::ssize(vocabulary)) {
      texts.push_back(vocabulary[static_cast<size_t>(token)]);
    }
  }
  return state_->decoder.decode(std::move(texts));
}

std::string_view HfTokenizer::piece(int32_t token) const {
  state_->check(token);
  return state_->pieces[static_cast<size_t>(token)];
}

std::optional<int32_t> HfTokenizer::special(std::string_view text) const {
  const HfAddedTokens::Token* token = state_->added.with_text(text);
  return token != nullptr ? std::optional(token->id) : std::nullopt;
}

std::span<const int32_t> HfTokenizer::end_tokens() const {
  if (state_->named.ends.empty()) throw Error("tokenizer: no file names an end token (eos_token)");
  return state_->named.ends;
}

int32_t HfTokenizer::pad() const { return state_->named.pad.value_or(end_tokens().front()); }

}  // namespace tinyllm
