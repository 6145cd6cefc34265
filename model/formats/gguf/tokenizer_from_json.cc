#include <tinyllm/model/formats/gguf/merges.h>
#include <tinyllm/model/formats/gguf/pre_tokenizer.h>
#include <tinyllm/model/formats/gguf/tokenizer_json.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace tinyllm {
namespace {

using TokenType = GgufTokenizer::TokenType;

constexpr int64_t kMaxVocabulary = 1 << 22;
constexpr const char* kBlank = "\u2581";

bool flag(const Json& object, const char* field, bool otherwise) {
  bool value = otherwise;
  if (find_field(object, field) != nullptr) read_field(object, field, value);
  return value;
}

const Json& list(const Json& object, const char* field) {
  const Json& found = need_field(object, field);
  if (!found.is_array()) throw Error("field {}: is {}, expected a list", field, type_of(found));
  return found;
}

bool is_byte(const std::string& token) {
  unsigned value = 0;
  const char* digits = token.data() + 3;
  return token.size() == 6 && token.starts_with("<0x") && token.back() == '>' &&
         std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2;
}

// ---- The vocabulary -------------------------------------------------------------------------------------------------

void put_token(const std::string& token, int64_t id, TokenType type, GgufTokenizer& tokenizer) {
  std::string& place = tokenizer.tokens[static_cast<size_t>(id)];
  if (!place.empty() && place != token)
    throw Error("tokens {} and {} have id {}", shortened(place), shortened(token), id);
  place = token;
  tokenizer.types[static_cast<size_t>(id)] = type;
}

int64_t token_id(const Json& value, int64_t vocab_size) {
  int64_t id = 0;
  read_value(value, "id", id);
  if (id < 0 || id >= vocab_size) throw Error("a token has id {}, expected one below vocab_size {}", id, vocab_size);
  return id;
}

// Ids without a token become unused tokens. Returns whether GGUF can express the options of all added tokens.
bool read_vocabulary(const Json& json, int64_t vocab_size, GgufTokenizer& tokenizer) {
  const Json& model = need_field(json, "model");
  const Json& vocabulary = need_field(model, "vocab");
  if (!vocabulary.is_object()) throw Error("field vocab: is {}, expected an object", type_of(vocabulary));
  tokenizer.tokens.resize(static_cast<size_t>(vocab_size));
  tokenizer.types.resize(static_cast<size_t>(vocab_size), TokenType::unused);
  const bool has_bytes = tokenizer.model == "llama";
  for (const auto& [token, id] : vocabulary.items()) {
    put_token(token, token_id(id, vocab_size), has_bytes && is_byte(token) ? TokenType::byte : TokenType::normal,
              tokenizer);
  }
  bool is_exact = true;
  const Json* added = find_field(json, "added_tokens");
  for (const Json& token : added == nullptr ? Json::array() : list(json, "added_tokens")) {
    for (const char* option : {"lstrip", "rstrip", "single_word", "normalized"}) {
      if (flag(token, option, false)) is_exact = false;
    }
    std::string content;
    read_field(token, "content", content);
    const TokenType type = flag(token, "special", false) ? TokenType::control : TokenType::user_defined;
    put_token(content, token_id(need_field(token, "id"), vocab_size), type, tokenizer);
  }
  for (size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (tokenizer.types[id] == TokenType::unused) tokenizer.tokens[id] = fmt::format("[PAD{}]", id);
  }
  return is_exact;
}

std::optional<int64_t> find_token(const GgufTokenizer& tokenizer, const std::string& token) {
  const auto found = std::find(tokenizer.tokens.begin(), tokenizer.tokens.end(), token);
  if (found == tokenizer.tokens.end()) return {};
  return found - tokenizer.tokens.begin();
}

// A merge is "a b", or ["a", "b"] in newer files.
std::vector<std::string> read_merges(const Json& model) {
  std::vector<std::string> merges;
  for (const Json& item : list(model, "merges")) {
    std::string merge;
    if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      merge = item[0].get_ref<const std::string&>() + " " + item[1].get_ref<const std::string&>();
    } else {
      read_value(item, "merges", merge);
    }
    if (std::count(merge.begin(), merge.end(), ' ') != 1) {
      throw Error("merge {}: expected two tokens without blanks", shortened(merge));
    }
    merges.push_back(std::move(merge));
  }
  return merges;
}

// ---- Around the vocabulary ------------------------------------------------------------------------------------------

// The steps of the field `part` of a tokenizer: none, one, or those of a Sequence.
std::vector<Json> steps(const Json& json, const char* part, const char* items) {
  const Json* found = find_field(json, part);
  if (found == nullptr) return {};
  if (text(*found, "type") != "Sequence") return {*found};
  const Json& sequence = list(*found, items);
  return {sequence.begin(), sequence.end()};
}

// A step's type. For the types that add or replace blanks, the name says how.
std::string blank_step(const Json& step) {
  const std::string type = text(step, "type");
  if (type == "Prepend") return text_or_none(step, "prepend") == kBlank ? type : "Prepend of another text";
  if (type == "Replace") {
    const bool is_blank = text_or_none(need_field(step, "pattern"), "String") == " ";
    return is_blank && text_or_none(step, "content") == kBlank ? type : "Replace of another text";
  }
  if (type != "Metaspace") return type;
  const std::string scheme = text_or_none(step, "prepend_scheme");
  const bool is_never = scheme.empty() ? !flag(step, "add_prefix_space", true) : scheme == "never";
  return is_never ? "Metaspace never" : "Metaspace first";
}

// Finds whether encoding adds a blank first. Returns whether readers of GGUF add and remove it in the same places.
bool read_blanks(const Json& json, GgufTokenizer& tokenizer) {
  std::vector<Json> all = steps(json, "normalizer", "normalizers");
  for (Json& step : steps(json, "pre_tokenizer", "pretokenizers")) all.push_back(std::move(step));
  std::vector<std::string> names;
  for (const Json& step : all) names.push_back(blank_step(step));
  const std::string name = fmt::format("{}", fmt::join(names, ", "));
  if (name == "Prepend, Replace" || name == "Metaspace first") {
    tokenizer.add_space_prefix = true;
  } else if (name == "Replace" || name == "Metaspace never") {
    tokenizer.add_space_prefix = false;
  } else {
    throw Error("normalizer and pre_tokenizer: GGUF has no name for {}", name);
  }
  const std::vector<Json> decoders = steps(json, "decoder", "decoders");
  const bool strips =
      std::any_of(decoders.begin(), decoders.end(), [](const Json& step) { return text(step, "type") == "Strip"; });
  const bool splits = name.starts_with("Metaspace") && flag(all[0], "split", true);
  return strips == tokenizer.add_space_prefix && !splits && name != "Metaspace first";
}

// Finds the tokens that are added around a text.
void read_post_processor(const Json& processor, GgufTokenizer& tokenizer) {
  const std::string type = text_or_none(processor, "type");
  if (type == "Sequence") {
    for (const Json& step : list(processor, "processors")) read_post_processor(step, tokenizer);
  }
  if (type != "TemplateProcessing") return;
  bool is_before = true;
  for (const Json& part : list(processor, "single")) {
    if (find_field(part, "Sequence") != nullptr) is_before = false;
    if (find_field(part, "SpecialToken") == nullptr) continue;
    const std::string token = text(need_field(part, "SpecialToken"), "id");
    const std::optional<int64_t> id = find_token(tokenizer, token);
    if (!id) throw Error("post_processor: token {} is not in the vocabulary", shortened(token));
    (is_before ? tokenizer.bos : tokenizer.eos) = id;
    (is_before ? tokenizer.add_bos : tokenizer.add_eos) = true;
  }
}

// The text of a special token. It is a string, or an object with options.
std::string token_text(const Json& config, const char* field) {
  const Json* found = find_field(config, field);
  if (found == nullptr) return {};
  return found->is_object() ? text(*found, "content") : text_or_none(config, field);
}

std::vector<int64_t> ids(const Json& config, const char* field, const GgufTokenizer& tokenizer) {
  const Json* found = find_field(config, field);
  std::vector<int64_t> list;
  if (found == nullptr) return list;
  for (const Json& id : found->is_array() ? *found : Json::array({*found})) {
    list.push_back(token_id(id, static_cast<int64_t>(tokenizer.tokens.size())));
  }
  return list;
}

void read_templates(const Json& config, GgufTokenizer& tokenizer) {
  const Json* found = find_field(config, "chat_template");
  if (found == nullptr) return;
  if (!found->is_array()) {
    read_value(*found, "chat_template", tokenizer.chat_template);
    return;
  }
  for (const Json& item : *found) {
    const std::string name = text(item, "name");
    std::string body = text(item, "template");
    if (name == "default") {
      tokenizer.chat_template = std::move(body);
    } else {
      tokenizer.other_templates.emplace_back(name, std::move(body));
    }
  }
}

}  // namespace

void add_tokenizer_config(const Json& tokenizer_config, const Json& config, GgufTokenizer& tokenizer) {
  const auto from_text = [&](const char* field, std::optional<int64_t>& id) {
    const std::string token = token_text(tokenizer_config, field);
    if (token.empty()) return;
    const std::optional<int64_t> found = find_token(tokenizer, token);
    if (!found) throw Error("{}: {} is not in the vocabulary", field, shortened(token));
    id = found;
  };
  const bool puts_bos = tokenizer.add_bos.value_or(false), puts_eos = tokenizer.add_eos.value_or(false);
  const std::vector<int64_t> begins = ids(config, "bos_token_id", tokenizer),
                             ends = ids(config, "eos_token_id", tokenizer);
  if (!tokenizer.bos && !begins.empty()) tokenizer.bos = begins[0];
  if (!puts_eos && !ends.empty()) tokenizer.eos = ends[0];
  for (const auto& [field, value] :
       {std::pair("add_bos_token", &tokenizer.add_bos), {"add_eos_token", &tokenizer.add_eos}}) {
    if (!*value && find_field(tokenizer_config, field) != nullptr) *value = flag(tokenizer_config, field, false);
  }
  // Tokens that the post-processor adds around a text are already set.
  if (!puts_bos) from_text("bos_token", tokenizer.bos);
  if (!puts_eos) from_text("eos_token", tokenizer.eos);
  from_text("unk_token", tokenizer.unknown);
  from_text("pad_token", tokenizer.padding);
  // GGUF has three keys for tokens that end an answer: eos, eot and eom.
  for (const int64_t end : ends) {
    if (end == tokenizer.eos || end == tokenizer.eot) continue;
    (tokenizer.eot ? tokenizer.eom : tokenizer.eot) = end;
  }
  read_templates(tokenizer_config, tokenizer);
}

GgufTokenizer gguf_tokenizer(const Json& json, const Json& tokenizer_config, const Json& config) {
  const Json& model = need_field(json, "model");
  if (const std::string type = text_or_none(model, "type"); !type.empty() && type != "BPE") {
    throw Error("tokenizer.json: is of type {}, expected BPE", short_name(type));
  }
  int64_t vocab_size = 0;
  read_field(config, "vocab_size", vocab_size);
  if (vocab_size < 1 || vocab_size > kMaxVocabulary) {
    throw Error("field vocab_size: is {}, expected 1 to {}", vocab_size, kMaxVocabulary);
  }
  GgufTokenizer tokenizer;
  tokenizer.model = flag(model, "byte_fallback", false) ? "llama" : "gpt2";
  bool is_exact = read_vocabulary(json, vocab_size, tokenizer);
  std::vector<std::string> merges = read_merges(model);
  if (tokenizer.model == "gpt2") {
    tokenizer.pre = gguf::pre_tokenizer_of(json).name;
    tokenizer.merges = std::move(merges);
  } else {
    tokenizer.pre = "default";
    is_exact &= read_blanks(json, tokenizer);
    tokenizer.unknown = find_token(tokenizer, text_or_none(model, "unk_token"));
    if (tokenizer.unknown) tokenizer.types[static_cast<size_t>(*tokenizer.unknown)] = TokenType::unknown;
    tokenizer.scores = gguf::scores_of_merges(tokenizer, merges);
    if (gguf::merges_of_scores(tokenizer) != merges) is_exact = false;
  }
  tokenizer.add_bos = false;
  tokenizer.add_eos = false;
  if (const Json* processor = find_field(json, "post_processor")) read_post_processor(*processor, tokenizer);
  add_tokenizer_config(tokenizer_config, config, tokenizer);
  if (!is_exact) tokenizer.hugging_face = json.dump();
  return tokenizer;
}

}  // namespace tinyllm
