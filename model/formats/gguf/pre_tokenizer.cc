#include <tinyllm/model/formats/gguf/pre_tokenizer.h>

#include <vector>

namespace tinyllm::gguf {
namespace {

constexpr const char* kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

// The expression of Llama 3 and Qwen. They differ in the characters of a word and in how digits are grouped.
std::string words(const std::string& letters, const std::string& digits, const std::string& other) {
  return std::string(kContractions) + R"(|[^\r\n\p{L}\p{N}]?)" + letters + "+|" + digits + "| ?" + other +
         R"(+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
}

// The expression of GPT-4o and of Mistral's later models: a word is upper-case letters, then lower-case letters.
std::string cased_words(const std::string& ending, const std::string& digits) {
  const std::string before = R"([^\r\n\p{L}\p{N}]?)", upper = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])",
                    lower = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
  return before + upper + "*" + lower + "+" + ending + "|" + before + upper + "+" + lower + "*" + ending + "|" +
         digits + R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
}

// A step that cuts is an expression or one of these two constants.
constexpr const char* kDigits = "each digit";
constexpr const char* kGpt2 = "GPT-2's expression";  // Part of the ByteLevel step, which maps bytes to characters.

struct Row {
  std::vector<const char*> names;  // The first one is used for writing.
  std::vector<std::string> cuts;
  bool nfc;
  bool ignore_merges;
  bool add_bos;
};

const std::vector<Row>& rows() {
  const std::string letters = R"(\p{L})", marks = R"([\p{L}\p{M}])", one = R"(\p{N})", three = R"(\p{N}{1,3})",
                    other = R"([^\s\p{L}\p{N}])", contraction = std::string(kContractions) + "?";
  static const std::vector<Row> kRows = {
      {{"gpt-2"}, {kGpt2}, false, false, false},
      {{"smollm"}, {kDigits, kGpt2}, false, false, false},
      {{"llama-bpe", "llama3", "llama-v3"}, {words(letters, three, other)}, false, true, true},
      {{"smaug-bpe", "dbrx"}, {words(letters, three, other)}, false, false, false},
      {{"qwen2"}, {words(letters, one, other)}, true, false, false},
      {{"deepseek-r1-qwen", "megrez"}, {words(letters, one, other)}, false, false, false},
      {{"qwen35"}, {words(marks, one, R"([^\s\p{L}\p{M}\p{N}])")}, true, false, false},
      {{"gpt-4o"}, {cased_words(contraction, three)}, false, false, false},
      {{"tekken"}, {cased_words("", one)}, false, true, true},
      {{"minicpm5"}, {three, words(letters, one + "+", other)}, false, true, false},
  };
  return kRows;
}

// The steps of a normalizer or pre-tokenizer: none if null, one, or those of a Sequence.
std::vector<Json> steps(const Json& json, const char* list) {
  if (json.is_null()) return {};
  if (text_or_none(json, "type") != "Sequence") return {json};
  const Json& items = need_field(json, list);
  if (!items.is_array()) throw Error("field {}: is {}, expected a list", list, type_of(items));
  return {items.begin(), items.end()};
}

// The expression by which a step cuts; empty if the step only maps bytes to characters.
std::string cut_of(const Json& step) {
  const std::string type = text(step, "type");
  const auto flag = [&](const char* name, bool otherwise) {
    bool value = otherwise;
    if (find_field(step, name) != nullptr) read_field(step, name, value);
    return value;
  };
  if (type == "Digits" && flag("individual_digits", false)) return kDigits;
  if (type == "ByteLevel" && !flag("add_prefix_space", true)) return flag("use_regex", true) ? kGpt2 : "";
  if (type == "Split" && text_or_none(step, "behavior") == "Isolated" && !flag("invert", false)) {
    return text(need_field(step, "pattern"), "Regex");
  }
  throw Error("pre_tokenizer: GGUF has no name for a step {} with these options", short_name(type));
}

Json step_of(const std::string& cut) {
  if (cut == kDigits) return {{"type", "Digits"}, {"individual_digits", true}};
  return {{"type", "Split"}, {"pattern", {{"Regex", cut}}}, {"behavior", "Isolated"}, {"invert", false}};
}

PreTokenizer spelled_out(const Row& row) {
  const bool is_gpt2 = row.cuts.back() == kGpt2;
  const Json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", is_gpt2}};
  Json list = Json::array();
  for (const std::string& cut : row.cuts) {
    if (cut != kGpt2) list.push_back(step_of(cut));
  }
  list.push_back(bytes);
  const Json sequence = {{"type", "Sequence"}, {"pretokenizers", list}};
  return {row.names[0], row.nfc ? Json{{"type", "NFC"}} : Json(nullptr), list.size() == 1 ? bytes : sequence,
          row.ignore_merges, row.add_bos};
}

}  // namespace

PreTokenizer pre_tokenizer(std::string_view name) {
  std::string known;
  for (const Row& row : rows()) {
    for (const char* other : row.names) {
      if (name == other) return spelled_out(row);
    }
    known += (known.empty() ? "" : ", ") + std::string(row.names[0]);
  }
  throw Error("pre-tokenizer {} is not known, expected one of {}", short_name(name), known);
}

PreTokenizer pre_tokenizer_of(const Json& tokenizer) {
  std::vector<std::string> cuts;
  bool maps_bytes = false;
  for (const Json& step : steps(need_field(tokenizer, "pre_tokenizer"), "pretokenizers")) {
    maps_bytes = text(step, "type") == "ByteLevel";
    if (std::string cut = cut_of(step); !cut.empty()) cuts.push_back(std::move(cut));
  }
  if (!maps_bytes) throw Error("pre_tokenizer: does not end with ByteLevel, which GGUF expects");
  const Json* normalizer = find_field(tokenizer, "normalizer");
  const std::vector<Json> normal = normalizer == nullptr ? std::vector<Json>{} : steps(*normalizer, "normalizers");
  const bool nfc = normal.size() == 1 && text_or_none(normal[0], "type") == "NFC";
  if (!normal.empty() && !nfc) throw Error("normalizer: GGUF has no name for it, only for none and NFC");
  bool ignore_merges = false;
  const Json& model = need_field(tokenizer, "model");
  if (find_field(model, "ignore_merges") != nullptr) read_field(model, "ignore_merges", ignore_merges);
  for (const Row& row : rows()) {
    if (row.cuts == cuts && row.nfc == nfc && row.ignore_merges == ignore_merges) return spelled_out(row);
  }
  throw Error("pre_tokenizer: GGUF has no name for this combination of expressions, normalizer and ignore_merges");
}

}  // namespace tinyllm::gguf
