#include <tinyllm/model/text/hf/decoder.h>

#include <tinyllm/model/text/fallback_byte.h>
#include <tinyllm/model/text/hf/normalizer.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include <array>

namespace tinyllm {
namespace {

constexpr bool is_printable(int byte) { return (byte > 32 && byte < 127) || (byte > 160 && byte != 173); }

void replace_all(std::string& token, const Regex& pattern, std::string_view with) {
  std::string result;
  size_t copied = 0;
  Regex::Search search(pattern, token);
  for (Regex::Match match; search.next(match);) {
    result.append(token, copied, match.begin - copied);
    result += with;
    copied = match.end;
  }
  token = result.append(token, copied);
}

void strip(std::string& token, std::string_view content, int64_t start, int64_t stop) {
  for (; start > 0 && token.starts_with(content); --start) token.erase(0, content.size());
  for (; stop > 0 && token.ends_with(content); --stop) token.resize(token.size() - content.size());
}

}  // namespace

std::optional<char> hf_byte(char32_t c) {
  static const auto byte_of = [] {
    std::array<int, 256 + 68> table;
    table.fill(-1);
    size_t next = 256;
    for (int byte = 0; byte < 256; ++byte) table[is_printable(byte) ? static_cast<size_t>(byte) : next++] = byte;
    return table;
  }();
  if (c >= byte_of.size() || byte_of[c] < 0) return std::nullopt;
  return static_cast<char>(byte_of[c]);
}

std::optional<std::string> hf_bytes(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const std::optional<char> byte = hf_byte(next_character(token, at));
    if (!byte) return std::nullopt;
    bytes += *byte;
  }
  return bytes;
}

HfDecoder::HfDecoder(const Json* json) {
  if (json != nullptr) add(*json, 0);
}

void HfDecoder::add(const Json& json, int depth) {
  std::string type;
  read_field(json, "type", type);
  if (type == "Sequence") {
    if (depth == kMaxHfSequences) throw Error("field decoder: sequences are nested too deeply");
    for (const Json& part : need_field(json, "decoders")) add(part, depth + 1);
  } else if (type == "ByteLevel") {
    steps_.emplace_back(ByteLevel{});
  } else if (type == "ByteFallback") {
    steps_.emplace_back(ByteFallback{});
  } else if (type == "Fuse") {
    steps_.emplace_back(Fuse{});
  } else if (type == "Strip") {
    Strip step;
    read_field(json, "content", step.content);
    if (count_of_characters(step.content) != 1) throw Error("field content: expected one character");
    read_field(json, "start", step.start);
    read_field(json, "stop", step.stop);
    steps_.emplace_back(std::move(step));
  } else if (type == "Replace") {
    Replace step{read_hf_pattern(need_field(json, "pattern")), {}};
    read_field(json, "content", step.content);
    steps_.emplace_back(std::move(step));
  } else if (type == "Metaspace") {
    Metaspace step;
    read_field(json, "replacement", step.replacement);
    if (step.replacement.empty()) throw Error("field replacement: is empty");
    std::string scheme = "always";
    bool adds = true;
    if (find_field(json, "add_prefix_space") != nullptr) read_field(json, "add_prefix_space", adds);
    if (find_field(json, "prepend_scheme") != nullptr) {
      read_field(json, "prepend_scheme", scheme);
      adds = scheme != "never";
    }
    step.strips_first = adds;
    steps_.emplace_back(std::move(step));
  } else {
    throw Error("field decoder: type {}, expected ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace or Sequence",
                shortened(type));
  }
}

void HfDecoder::run(const Step& step, std::vector<std::string>& tokens, bool is_whole) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string& token = tokens[i];
    if (std::holds_alternative<ByteLevel>(step)) {
      if (std::optional<std::string> bytes = hf_bytes(token)) token = std::move(*bytes);
    } else if (std::holds_alternative<ByteFallback>(step)) {
      if (const std::optional<char> byte = fallback_byte(token)) token = *byte;
    } else if (const auto* replace = std::get_if<Replace>(&step)) {
      const bool is_utf8 = valid_utf8(token) == token.size();
      if (!is_utf8 && is_whole) token = replace_invalid_utf8(token);
      if (is_utf8 || is_whole) replace_all(token, replace->pattern, replace->content);
    } else if (const auto* strips = std::get_if<Strip>(&step)) {
      if (is_whole) strip(token, strips->content, strips->start, strips->stop);
    } else if (const auto* metaspace = std::get_if<Metaspace>(&step)) {
      const bool drops = is_whole && i == 0 && metaspace->strips_first;
      std::string changed;
      for (size_t at = 0; at < token.size();) {
        const bool is_blank = std::string_view(token).substr(at).starts_with(metaspace->replacement);
        if (!is_blank) changed += token[at];
        if (is_blank && !drops) changed += ' ';
        at += is_blank ? metaspace->replacement.size() : 1;
      }
      token = std::move(changed);
    }
  }
  if (!std::holds_alternative<Fuse>(step) || !is_whole) return;
  std::string all;
  for (const std::string& token : tokens) all += token;
  tokens = {std::move(all)};
}

std::string HfDecoder::decode(std::vector<std::string> tokens) const {
  std::string text;
  for (const Step& step : steps_) run(step, tokens, true);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && steps_.empty()) text += ' ';
    text += tokens[i];
  }
  return text;
}

std::string HfDecoder::bytes_of(std::string_view token) const {
  std::vector<std::string> one = {std::string(token)};
  for (const Step& step : steps_) run(step, one, false);
  return one.empty() ? std::string{} : one[0];
}

}  // namespace tinyllm
