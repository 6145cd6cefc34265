#include <tinyllm/model/formats/gguf/tokenizer_json.h>

#include <tinyllm/model/formats/gguf/merges.h>
#include <tinyllm/model/formats/gguf/pre_tokenizer.h>

#include <algorithm>

namespace tinyllm {
namespace {

using TokenType = GgufTokenizer::TokenType;

constexpr const char* kBlank = "\u2581";  // SentencePiece's character for a blank.

bool is_sentencepiece(const GgufTokenizer& tokenizer) { return tokenizer.model == "llama"; }
bool puts_blank_first(const GgufTokenizer& tokenizer) { return tokenizer.add_space_prefix.value_or(true); }

// Whether tokens of this type are added tokens, which a text is searched for before it is encoded.
bool is_added(TokenType type) {
  return type == TokenType::control || type == TokenType::user_defined || type == TokenType::unknown;
}

std::string pre_name(const GgufTokenizer& tokenizer, std::string_view architecture) {
  if (gguf_tokenizer_doubt(tokenizer).empty()) return tokenizer.pre;
  return architecture.starts_with("qwen") ? "qwen2" : "llama-bpe";
}

Json added_tokens(const GgufTokenizer& tokenizer) {
  Json list = Json::array();
  for (size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    if (!is_added(tokenizer.types[id])) continue;
    list.push_back({{"id", id},
                    {"content", tokenizer.tokens[id]},
                    {"single_word", false},
                    {"lstrip", false},
                    {"rstrip", false},
                    {"normalized", false},
                    {"special", tokenizer.types[id] != TokenType::user_defined}});
  }
  return list;
}

// The vocabulary ends with the last normal token: later added tokens are only in `added_tokens`. Unused tokens are left
// out.
Json vocabulary(const GgufTokenizer& tokenizer) {
  size_t end = tokenizer.tokens.size();
  while (end > 0 && (is_added(tokenizer.types[end - 1]) || tokenizer.types[end - 1] == TokenType::unused)) --end;
  Json vocabulary = Json::object();
  for (size_t id = 0; id < end; ++id) {
    if (tokenizer.types[id] != TokenType::unused) vocabulary[tokenizer.tokens[id]] = id;
  }
  return vocabulary;
}

Json merge_list(const std::vector<std::string>& merges) {
  for (const std::string& merge : merges) {
    const size_t blank = merge.find(' ');
    if (blank == 0 || blank == std::string::npos || blank + 1 == merge.size()) {
      throw Error("merge {} is not two tokens with a blank between them", shortened(merge));
    }
  }
  return merges;
}

Json byte_pairs(const Json& vocabulary, const std::vector<std::string>& merges) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"vocab", vocabulary},
          {"merges", merge_list(merges)}};
}

Json byte_level() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
}

Json sequence(const char* list, const Json& items) { return {{"type", "Sequence"}, {list, items}}; }

// The post-processor that adds these tokens before and after a text.
Json template_processing(const std::vector<std::string>& before, const std::vector<std::string>& after,
                         const Json& special_tokens) {
  const auto part = [&](const char* text, int type_id) {
    Json list = Json::array();
    for (const std::string& token : before) list.push_back({{"SpecialToken", {{"id", token}, {"type_id", type_id}}}});
    list.push_back({{"Sequence", {{"id", text}, {"type_id", type_id}}}});
    for (const std::string& token : after) list.push_back({{"SpecialToken", {{"id", token}, {"type_id", type_id}}}});
    return list;
  };
  Json pair = part("A", 0);
  for (const Json& item : part("B", 1)) pair.push_back(item);
  return {{"type", "TemplateProcessing"}, {"single", part("A", 0)}, {"pair", pair}, {"special_tokens", special_tokens}};
}

// Null if no tokens are added around a text.
Json post_processor(const GgufTokenizer& tokenizer, bool add_bos) {
  Json special_tokens = Json::object();
  const auto tokens = [&](bool is_wanted, std::optional<int64_t> id, const char* name) {
    std::vector<std::string> list;
    if (!is_wanted) return list;
    if (!id) throw Error("tokenizer.ggml.add_{}_token is set, but {}_token_id is missing", name, name);
    list.push_back(tokenizer.tokens[static_cast<size_t>(*id)]);
    special_tokens[list[0]] = {{"id", list[0]}, {"ids", {*id}}, {"tokens", list}};
    return list;
  };
  const std::vector<std::string> before = tokens(tokenizer.add_bos.value_or(add_bos), tokenizer.bos, "bos");
  const std::vector<std::string> after = tokens(tokenizer.add_eos.value_or(false), tokenizer.eos, "eos");
  return before.empty() && after.empty() ? Json(nullptr) : template_processing(before, after, special_tokens);
}

Json sentencepiece_json(const GgufTokenizer& tokenizer) {
  const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kBlank}};
  const Json restore = {{"type", "Replace"}, {"pattern", {{"String", kBlank}}}, {"content", " "}};
  Json normalizers = Json::array({replace}), decoders = {restore, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (puts_blank_first(tokenizer)) {
    normalizers.insert(normalizers.begin(), Json{{"type", "Prepend"}, {"prepend", kBlank}});
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  Json model = byte_pairs(vocabulary(tokenizer), gguf::merges_of_scores(tokenizer));
  model["fuse_unk"] = true;
  model["byte_fallback"] = true;
  if (tokenizer.unknown) model["unk_token"] = tokenizer.tokens[static_cast<size_t>(*tokenizer.unknown)];
  return {{"normalizer", sequence("normalizers", normalizers)},
          {"pre_tokenizer", nullptr},
          {"post_processor", post_processor(tokenizer, true)},
          {"decoder", sequence("decoders", decoders)},
          {"model", model}};
}

Json byte_level_json(const GgufTokenizer& tokenizer, std::string_view architecture) {
  const gguf::PreTokenizer pre = gguf::pre_tokenizer(pre_name(tokenizer, architecture));
  Json model = byte_pairs(vocabulary(tokenizer), tokenizer.merges);
  model["ignore_merges"] = pre.ignore_merges;
  const Json around = post_processor(tokenizer, pre.add_bos);
  return {{"normalizer", pre.normalizer},
          {"pre_tokenizer", pre.pre_tokenizer},
          {"post_processor", around.is_null() ? byte_level() : sequence("processors", {byte_level(), around})},
          {"decoder", byte_level()},
          {"model", model}};
}

}  // namespace

Json tokenizer_json(const GgufTokenizer& tokenizer, std::string_view architecture) {
  if (!tokenizer.hugging_face.empty()) return parse_json(tokenizer.hugging_face, "tokenizer.huggingface.json");
  Json json = is_sentencepiece(tokenizer) ? sentencepiece_json(tokenizer) : byte_level_json(tokenizer, architecture);
  json["version"] = "1.0";
  json["truncation"] = nullptr;
  json["padding"] = nullptr;
  json["added_tokens"] = added_tokens(tokenizer);
  return json;
}

Json tokenizer_config_json(const GgufTokenizer& tokenizer) {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  const std::pair<const char*, std::optional<int64_t>> tokens[] = {{"bos_token", tokenizer.bos},
                                                                   {"eos_token", tokenizer.eos},
                                                                   {"unk_token", tokenizer.unknown},
                                                                   {"pad_token", tokenizer.padding}};
  for (const auto& [name, id] : tokens) {
    config[name] = id ? Json(tokenizer.tokens[static_cast<size_t>(*id)]) : Json(nullptr);
  }
  if (tokenizer.other_templates.empty()) {
    if (!tokenizer.chat_template.empty()) config["chat_template"] = tokenizer.chat_template;
    return config;
  }
  Json templates = Json::array();
  const auto add = [&](const std::string& name, const std::string& text) {
    templates.push_back({{"name", name}, {"template", text}});
  };
  if (!tokenizer.chat_template.empty()) add("default", tokenizer.chat_template);
  for (const auto& [name, text] : tokenizer.other_templates) add(name, text);
  config["chat_template"] = templates;
  return config;
}

std::string gguf_tokenizer_doubt(const GgufTokenizer& tokenizer) {
  const bool is_named = !tokenizer.pre.empty() && tokenizer.pre != "default";
  if (is_sentencepiece(tokenizer) || is_named || !tokenizer.hugging_face.empty()) return {};
  return "The file does not say how its tokenizer cuts a text into words (tokenizer.ggml.pre): the way of its family "
         "is "
         "taken, and answers are bad if that is wrong.";
}

}  // namespace tinyllm
