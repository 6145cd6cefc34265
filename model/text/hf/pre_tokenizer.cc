#include <tinyllm/model/text/hf/pre_tokenizer.h>

#include <tinyllm/model/text/hf/normalizer.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm {
namespace {

// GPT-2's pattern.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct Part {
  size_t begin;
  size_t end;
  bool is_match;
};

// Calls visit(part) with each match and each text between matches, in order.
template <class Visit>
void for_each_part(const Regex& pattern, std::string_view text, Visit visit) {
  size_t last = 0;
  Regex::Search search(pattern, text);
  for (Regex::Match match; search.next(match);) {
    if (match.begin > last) visit(Part{last, match.begin, false});
    visit(Part{match.begin, match.end, true});
    last = match.end;
  }
  if (last < text.size()) visit(Part{last, text.size(), false});
}

bool flag(const Json& json, const char* field, bool otherwise) {
  if (find_field(json, field) != nullptr) read_field(json, field, otherwise);
  return otherwise;
}

}  // namespace

HfPreTokenizer::HfPreTokenizer(const Json* json) {
  if (json != nullptr) add(*json, 0);
}

HfPreTokenizer::Behavior HfPreTokenizer::behavior_of(const Json& json) {
  std::string name = "Isolated";
  if (find_field(json, "behavior") != nullptr) read_field(json, "behavior", name);
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  throw Error("field behavior: is {}, expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous",
              shortened(name));
}

void HfPreTokenizer::add_split(std::string_view pattern, Behavior behavior, bool invert) {
  stages_.emplace_back(Split{Regex(pattern), behavior, invert});
}

void HfPreTokenizer::add(const Json& json, int depth) {
  std::string type;
  read_field(json, "type", type);
  if (type == "Sequence") {
    if (depth == kMaxHfSequences) throw Error("field pre_tokenizer: sequences are nested too deeply");
    for (const Json& part : need_field(json, "pretokenizers")) add(part, depth + 1);
    return;
  }
  if (byte_level_) throw Error("field pre_tokenizer: {} follows ByteLevel, which must be the last", shortened(type));
  if (type == "ByteLevel") {
    if (flag(json, "add_prefix_space", true)) stages_.emplace_back(PrefixBlank{});
    if (flag(json, "use_regex", true)) add_split(kByteLevelPattern, Behavior::isolated, false);
    byte_level_ = true;
  } else if (type == "Split") {
    stages_.emplace_back(
        Split{read_hf_pattern(need_field(json, "pattern")), behavior_of(json), flag(json, "invert", false)});
  } else if (type == "Digits") {
    const bool individual = flag(json, "individual_digits", false);
    add_split(R"(\p{N})", individual ? Behavior::isolated : Behavior::contiguous, false);
  } else if (type == "Punctuation") {
    add_split(R"([!-/:-@\[-`{-~\p{P}])", behavior_of(json), false);
  } else if (type == "Whitespace") {
    add_split(R"(\w+|[^\w\s]+)", Behavior::removed, true);
  } else if (type == "WhitespaceSplit") {
    add_split(R"(\s)", Behavior::removed, false);
  } else if (type == "Metaspace") {
    add_metaspace(json);
  } else {
    throw Error(
        "field pre_tokenizer: type {}, expected ByteLevel, Split, Digits, Metaspace, Whitespace, "
        "WhitespaceSplit, Punctuation or Sequence",
        shortened(type));
  }
}

void HfPreTokenizer::add_metaspace(const Json& json) {
  using Scheme = Metaspace::Scheme;
  Metaspace stage{"\u2581", Scheme::always};
  if (find_field(json, "replacement") != nullptr) read_field(json, "replacement", stage.replacement);
  if (count_of_characters(stage.replacement) != 1) throw Error("field replacement: expected one character");
  std::string scheme = flag(json, "add_prefix_space", true) ? "always" : "never";
  if (find_field(json, "prepend_scheme") != nullptr) read_field(json, "prepend_scheme", scheme);
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    throw Error("field prepend_scheme: is {}, expected always, first or never", shortened(scheme));
  }
  stage.scheme = scheme == "always" ? Scheme::always : scheme == "first" ? Scheme::first : Scheme::never;
  size_t at = 0;
  const auto replacement = static_cast<uint32_t>(next_character(stage.replacement, at));
  stages_.emplace_back(std::move(stage));
  if (flag(json, "split", true)) add_split(fmt::format("\\x{{{:x}}}", replacement), Behavior::merged_with_next, false);
}

void HfPreTokenizer::split(std::string_view text, bool is_first, const Word& word) const {
  run(0, text, is_first, word);
}

void HfPreTokenizer::run(size_t stage, std::string_view text, bool is_first, const Word& word) const {
  if (text.empty()) return;
  if (stage == stages_.size()) return word(text);
  if (std::holds_alternative<PrefixBlank>(stages_[stage])) {
    if (text.front() == ' ') return run(stage + 1, text, is_first, word);
    return run(stage + 1, fmt::format(" {}", text), is_first, word);
  }
  if (const auto* metaspace = std::get_if<Metaspace>(&stages_[stage])) {
    using Scheme = Metaspace::Scheme;
    std::string changed;
    const bool has_prefix = text.starts_with(' ') || text.starts_with(metaspace->replacement);
    const bool wants_prefix = metaspace->scheme == Scheme::always || (metaspace->scheme == Scheme::first && is_first);
    if (wants_prefix && !has_prefix) changed = metaspace->replacement;
    for (const char c : text) c == ' ' ? changed += metaspace->replacement : changed += c;
    return run(stage + 1, changed, is_first, word);
  }

  const auto& split = std::get<Split>(stages_[stage]);
  const auto emit = [&](const Part& part) {
    if (part.begin == part.end) return;
    const std::string_view piece = text.substr(part.begin, part.end - part.begin);
    if (stage + 1 == stages_.size()) return word(piece);
    run(stage + 1, piece, is_first && part.begin == 0, word);
  };
  if (split.behavior == Behavior::isolated) return for_each_part(split.pattern, text, emit);
  Part last{0, 0, false};  // Not emitted yet, as the next part may join it. Empty at first.
  bool last_was_match = false;
  for_each_part(split.pattern, text, [&](Part part) {
    part.is_match = part.is_match != split.invert;
    if (split.behavior == Behavior::removed) {
      if (!part.is_match) emit(part);
      return;
    }
    const bool joins = split.behavior == Behavior::contiguous             ? part.is_match == last_was_match
                       : split.behavior == Behavior::merged_with_previous ? part.is_match && !last_was_match
                                                                          : !part.is_match && last_was_match;
    if (!joins) emit(std::exchange(last, Part{part.begin, part.begin, false}));
    last.end = part.end;
    last_was_match = part.is_match;
  });
  emit(last);
}

}  // namespace tinyllm
