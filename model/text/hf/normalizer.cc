#include <tinyllm/model/text/hf/normalizer.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>

namespace tinyllm {
namespace {

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

const icu::Normalizer2& icu_normalizer(bool compose, bool compatible) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found =
      compatible ? compose ? icu::Normalizer2::getNFKCInstance(status) : icu::Normalizer2::getNFKDInstance(status)
      : compose ? icu::Normalizer2::getNFCInstance(status)
                 : icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status)) throw Error("ICU: {}", u_errorName(status));
  return *found;
}

// The characters that normalisation changes: those of Unicode 9.0, as in the Rust library. ICU knows later ones too,
// but they must stay unchanged to give the same tokens.
const icu::UnicodeSet& known_characters() {
  static const icu::UnicodeSet set = [] {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet known("[:age=9.0:]", status);
    if (U_FAILURE(status)) throw Error("ICU: {}", u_errorName(status));
    return known;
  }();
  return set;
}

void normalise(std::string& text, bool compose, bool compatible) {
  if (is_ascii(text)) return;
  if (text.size() > INT32_MAX) throw Error("text to encode: has {} bytes, expected at most {}", text.size(), INT32_MAX);
  const icu::Normalizer2& form = icu_normalizer(compose, compatible);
  UErrorCode status = U_ZERO_ERROR;
  const icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
  if (form.isNormalizedUTF8(piece, status) && U_SUCCESS(status)) return;
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  icu::FilteredNormalizer2(form, known_characters()).normalizeUTF8(0, piece, sink, nullptr, status);
  if (U_FAILURE(status)) throw Error("ICU: {}", u_errorName(status));
  text = std::move(result);
}

void replace(std::string& text, const Regex& pattern, std::string_view with) {
  std::string result;
  size_t copied = 0;
  Regex::Search search(pattern, text);
  for (Regex::Match match; search.next(match);) {
    result.append(text, copied, match.begin - copied);
    result += with;
    copied = match.end;
  }
  if (copied == 0 && result.empty()) return;
  result.append(text, copied);
  text = std::move(result);
}

}  // namespace

Regex read_hf_pattern(const Json& pattern) {
  if (pattern.is_object() && pattern.contains("Regex")) {
    std::string regex;
    read_field(pattern, "Regex", regex);
    return Regex(regex);
  }
  std::string literal;
  if (pattern.is_string()) {
    literal = pattern.get<std::string>();
  } else {
    read_field(pattern, "String", literal);
  }
  if (literal.empty()) throw Error("field pattern: is empty");
  std::string escaped;
  for (size_t at = 0; at < literal.size();) {
    escaped += fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(next_character(literal, at)));
  }
  return Regex(escaped);
}

HfNormalizer::HfNormalizer(const Json* json) {
  if (json != nullptr) add(*json, 0);
}

void HfNormalizer::add(const Json& json, int depth) {
  std::string type;
  read_field(json, "type", type);
  if (type == "Sequence") {
    if (depth == kMaxHfSequences) throw Error("field normalizer: sequences are nested too deeply");
    for (const Json& part : need_field(json, "normalizers")) add(part, depth + 1);
  } else if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    steps_.emplace_back(Form{type.back() == 'C', type[2] == 'K'});
  } else if (type == "Prepend") {
    Prepend step;
    read_field(json, "prepend", step.text);
    steps_.emplace_back(std::move(step));
  } else if (type == "Replace") {
    Replace step{read_hf_pattern(need_field(json, "pattern")), {}};
    read_field(json, "content", step.text);
    steps_.emplace_back(std::move(step));
  } else {
    throw Error("field normalizer: type {}, expected NFC, NFD, NFKC, NFKD, Prepend, Replace or Sequence",
                shortened(type));
  }
}

std::string HfNormalizer::apply(std::string_view text, bool is_first) const {
  std::string result(text);
  for (const auto& step : steps_) {
    if (result.empty()) break;
    if (const auto* form = std::get_if<Form>(&step)) normalise(result, form->compose, form->compatible);
    if (const auto* prepend = std::get_if<Prepend>(&step); prepend != nullptr && is_first) {
      result.insert(0, prepend->text);
    }
    if (const auto* part = std::get_if<Replace>(&step)) replace(result, part->pattern, part->text);
  }
  return result;
}

}  // namespace tinyllm
