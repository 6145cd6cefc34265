#include <tinyllm/model/formats/gguf/tokenizer.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {
namespace {

using TokenType = GgufTokenizer::TokenType;

constexpr const char* kTemplate = "tokenizer.chat_template";
constexpr const char* kTemplateNames = "tokenizer.chat_templates";
constexpr const char* kHuggingFace = "tokenizer.huggingface.json";

// Optional keys, without the prefix `tokenizer.ggml.`.
struct Id {
  const char* key;
  std::optional<int64_t> GgufTokenizer::*field;
};
constexpr Id kIds[] = {{"bos_token_id", &GgufTokenizer::bos},         {"eos_token_id", &GgufTokenizer::eos},
                       {"eot_token_id", &GgufTokenizer::eot},         {"eom_token_id", &GgufTokenizer::eom},
                       {"unknown_token_id", &GgufTokenizer::unknown}, {"padding_token_id", &GgufTokenizer::padding}};
struct Flag {
  const char* key;
  std::optional<bool> GgufTokenizer::*field;
};
constexpr Flag kFlags[] = {{"add_bos_token", &GgufTokenizer::add_bos},
                           {"add_eos_token", &GgufTokenizer::add_eos},
                           {"add_space_prefix", &GgufTokenizer::add_space_prefix}};

std::string full(const char* key) { return std::string("tokenizer.ggml.") + key; }

std::vector<std::string> read_strings(const GgufMetadata& metadata, const std::string& key) {
  const auto views = metadata.get<std::vector<std::string_view>>(key);
  std::vector<std::string> strings(views.begin(), views.end());
  for (size_t i = 0; i < strings.size(); ++i) check_utf8(strings[i], fmt::format("{}: number {}", key, i));
  return strings;
}

void check_unique(const std::vector<std::string>& tokens) {
  std::vector<std::string_view> sorted(tokens.begin(), tokens.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) throw Error("{}: token {} is there twice", full("tokens"), shortened(*twice));
}

void check_count(size_t found, size_t expected, const char* key) {
  if (found != expected) throw Error("{}: has {} values, expected {}, one for each token", full(key), found, expected);
}

std::vector<TokenType> read_types(const GgufMetadata& metadata, size_t count) {
  const auto numbers = metadata.find<std::vector<int64_t>>(full("token_type"));
  std::vector<TokenType> types(count, TokenType::normal);
  if (!numbers) return types;
  check_count(numbers->size(), count, "token_type");
  for (size_t i = 0; i < count; ++i) {
    // Some converters write 0 (undefined), which counts as 1 (normal).
    const int64_t number = numbers->at(i) == 0 ? 1 : numbers->at(i);
    if (number < 1 || number > 6) throw Error("{}: number {} is {}, expected 0 to 6", full("token_type"), i, number);
    types[i] = static_cast<TokenType>(number);
  }
  return types;
}

void read_model(const GgufMetadata& metadata, GgufTokenizer& tokenizer) {
  tokenizer.model = metadata.get<std::string_view>(full("model"));
  if (tokenizer.model != "gpt2" && tokenizer.model != "llama") {
    throw Error("{} is {}, expected gpt2 or llama", full("model"), shortened(tokenizer.model));
  }
  tokenizer.pre = metadata.find<std::string_view>(full("pre")).value_or("");
  tokenizer.tokens = read_strings(metadata, full("tokens"));
  check_unique(tokenizer.tokens);
  tokenizer.types = read_types(metadata, tokenizer.tokens.size());
  if (tokenizer.model == "gpt2") {
    tokenizer.merges = read_strings(metadata, full("merges"));
    return;
  }
  tokenizer.scores = metadata.get<std::vector<float>>(full("scores"));
  check_count(tokenizer.scores.size(), tokenizer.tokens.size(), "scores");
  for (const float score : tokenizer.scores) {
    if (!std::isfinite(score)) throw Error("{}: {} is there, expected finite numbers", full("scores"), score);
  }
}

void read_templates(const GgufMetadata& metadata, GgufTokenizer& tokenizer) {
  const auto read = [&](const std::string& key) {
    std::string text(metadata.find<std::string_view>(key).value_or(""));
    check_utf8(text, key);
    return text;
  };
  tokenizer.chat_template = read(kTemplate);
  if (!metadata.has(kTemplateNames)) return;
  for (std::string& name : read_strings(metadata, kTemplateNames)) {
    std::string text = read(std::string(kTemplate) + "." + name);
    if (!text.empty()) tokenizer.other_templates.emplace_back(std::move(name), std::move(text));
  }
}

}  // namespace

GgufTokenizer read_gguf_tokenizer(const Gguf& file) {
  const GgufMetadata& metadata = file.metadata();
  GgufTokenizer tokenizer;
  try {
    read_model(metadata, tokenizer);
    const auto size = static_cast<int64_t>(tokenizer.tokens.size());
    for (const Id& id : kIds) {
      std::optional<int64_t>& field = tokenizer.*id.field;
      field = metadata.find<int64_t>(full(id.key));
      if (field && (*field < 0 || *field >= size)) {
        throw Error("{} is {}, expected a token below {}", full(id.key), *field, size);
      }
    }
    for (const Flag& flag : kFlags) tokenizer.*flag.field = metadata.find<bool>(full(flag.key));
    read_templates(metadata, tokenizer);
    tokenizer.hugging_face = metadata.find<std::string_view>(kHuggingFace).value_or("");
  } catch (const Error& error) {
    const std::string message = error.what(), path = file.path().string();
    if (message.starts_with(path)) throw;
    throw Error("{}: {}", path, message);
  }
  return tokenizer;
}

void add_gguf_tokenizer(const GgufTokenizer& tokenizer, GgufWriter& writer) {
  writer.add(full("model"), tokenizer.model);
  writer.add(full("pre"), tokenizer.pre);
  writer.add(full("tokens"), tokenizer.tokens);
  if (!tokenizer.scores.empty()) writer.add(full("scores"), tokenizer.scores);
  std::vector<int32_t> types;
  for (const TokenType type : tokenizer.types) types.push_back(static_cast<int32_t>(type));
  writer.add(full("token_type"), types);
  // Readers require the list, even if it is empty.
  if (tokenizer.model == "gpt2") writer.add(full("merges"), tokenizer.merges);
  for (const Id& id : kIds) {
    if (const auto value = tokenizer.*id.field) writer.add(full(id.key), static_cast<uint32_t>(*value));
  }
  for (const Flag& flag : kFlags) {
    if (const auto value = tokenizer.*flag.field) writer.add(full(flag.key), *value);
  }
  if (!tokenizer.chat_template.empty()) writer.add(kTemplate, tokenizer.chat_template);
  std::vector<std::string> names;
  for (const auto& [name, text] : tokenizer.other_templates) {
    names.push_back(name);
    writer.add(std::string(kTemplate) + "." + name, text);
  }
  if (!names.empty()) writer.add(kTemplateNames, names);
  if (!tokenizer.hugging_face.empty()) writer.add(kHuggingFace, tokenizer.hugging_face);
}

GgufTokenizer gguf_tokenizer(const std::vector<SentencePiece>& pieces, int64_t vocab_size) {
  GgufTokenizer tokenizer;
  tokenizer.model = "llama";
  tokenizer.pre = "default";
  for (const SentencePiece& piece : pieces) {
    if (piece.type == TokenType::unknown) tokenizer.unknown = static_cast<int64_t>(tokenizer.tokens.size());
    tokenizer.tokens.push_back(piece.text);
    tokenizer.scores.push_back(piece.score);
    tokenizer.types.push_back(piece.type);
  }
  if (static_cast<int64_t>(pieces.size()) > vocab_size) {
    throw Error("the tokenizer has {} tokens, but the model has only {}", pieces.size(), vocab_size);
  }
  while (static_cast<int64_t>(tokenizer.tokens.size()) < vocab_size) {
    tokenizer.tokens.push_back(fmt::format("[PAD{}]", tokenizer.tokens.size()));
    tokenizer.types.push_back(TokenType::unused);
    tokenizer.scores.push_back(0);
  }
  return tokenizer;
}

}  // namespace tinyllm
