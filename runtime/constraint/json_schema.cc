#include <tinyllm/runtime/constraint/json_schema.h>

#include <tinyllm/runtime/constraint/decimal.h>
#include <tinyllm/runtime/constraint/schema_reader.h>

#include <algorithm>
#include <array>
#include <set>

namespace tinyllm {
namespace {

using Node = JsonGrammar::Node;
using Kind = JsonGrammar::Kind;
constexpr int64_t kNever = JsonGrammar::kNever;

constexpr size_t kMaxAlternatives = 256;
constexpr size_t kMaxGrammarBytes = size_t{8} << 20;
constexpr int64_t kMaxComparisons = 1'000'000;
constexpr int kMaxAlike = 8;  // Alternatives that a matcher follows at a time.

// Follows references: values become lists of nodes.
class Resolver {
 public:
  Resolver(JsonGrammar& grammar, const SchemaParts& parts) : grammar_(grammar), parts_(parts) {}

  void resolve() {
    grammar_.values.resize(parts_.values.size());
    for (uint32_t value = 0; value < parts_.values.size(); ++value) {
      const std::vector<uint32_t> nodes = nodes_of(value);
      bytes_ += nodes.size() * sizeof(uint32_t);
      grammar_.values[value] = with_merged_words(nodes);
      if (bytes_ > kMaxGrammarBytes)
        throw Error("schema: its references make it larger than {} bytes", kMaxGrammarBytes);
    }
    for (const SchemaParts::Choice& choice : parts_.choices) {
      if (choice.fallback != JsonGrammar::kNone) {
        if (has_too_many_alike(choice)) grammar_.values[choice.value] = grammar_.values[choice.fallback];
        continue;
      }
      if (has_too_many_alike(choice)) {
        throw Error("{}more than {} alternatives begin alike, which is not supported", choice.where, kMaxAlike);
      }
      if (choice.excludes) check_excludes(choice);
    }
  }

 private:
  // Those that are reached from a value, in order.
  std::vector<uint32_t> nodes_of(uint32_t value) const {
    std::vector<uint32_t> nodes;
    std::set<uint32_t> seen = {value};
    std::set<uint32_t> seen_nodes;
    std::vector<SchemaParts::Part> open = {{true, value}};
    while (!open.empty()) {
      const SchemaParts::Part part = open.back();
      open.pop_back();
      if (!part.is_value) {
        if (seen_nodes.insert(part.id).second) nodes.push_back(part.id);
        if (nodes.size() > kMaxAlternatives)
          throw Error("schema: a value has more than {} alternatives", kMaxAlternatives);
        continue;
      }
      const std::vector<SchemaParts::Part>& parts = parts_.values[part.id];
      for (auto next = parts.rbegin(); next != parts.rend(); ++next) {
        if (!next->is_value || seen.insert(next->id).second) open.push_back(*next);
      }
    }
    return nodes;
  }

  // One node stands for all texts, so that they count as one alternative.
  std::vector<uint32_t> with_merged_words(const std::vector<uint32_t>& nodes) {
    const auto is_words = [&](uint32_t node) { return grammar_.nodes[node].kind == Kind::words; };
    if (std::count_if(nodes.begin(), nodes.end(), is_words) < 2) return nodes;
    Node all{.kind = Kind::words};
    std::set<std::string_view> seen;
    for (const uint32_t node : nodes) {
      if (!is_words(node)) continue;
      for (const std::string& word : grammar_.nodes[node].words) {
        if (!seen.insert(word).second) continue;
        all.words.push_back(word);
        bytes_ += sizeof word + word.size();
      }
    }
    std::vector<uint32_t> merged = {static_cast<uint32_t>(grammar_.nodes.size())};
    std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(merged),
                 [&](uint32_t node) { return !is_words(node); });
    grammar_.nodes.push_back(std::move(all));
    return merged;
  }

  // The types of a value by how its text begins: one of `"`, `{`, `[`, `n`, `t`, `0`.
  static char type_of_text(char first) {
    return first == '-' || (first >= '1' && first <= '9') ? '0' : first == 'f' ? 't' : first;
  }

  std::set<char> types_of(uint32_t id) const {
    const Node& node = grammar_.nodes[id];
    switch (node.kind) {
      case Kind::string:
        return {'"'};
      case Kind::number:
      case Kind::decimal:
        return {'0'};
      case Kind::array:
        return {'['};
      case Kind::object:
        return {'{'};
      default: {
        std::set<char> types;
        for (const std::string& word : node.words) types.insert(type_of_text(word[0]));
        return types;
      }
    }
  }

  bool has_too_many_alike(const SchemaParts::Choice& choice) const {
    std::map<char, int> alike;
    for (const uint32_t node : grammar_.values[choice.value]) {
      for (const char type : types_of(node)) {
        if (++alike[type] > kMaxAlike) return true;
      }
    }
    return false;
  }

  void check_excludes(const SchemaParts::Choice& choice) {
    const std::vector<SchemaParts::Part>& branches = parts_.values[choice.value];
    for (const SchemaParts::Part& a : branches) {
      for (const SchemaParts::Part& b : branches) {
        if (a.id == b.id && &a != &b) throw Error("{}keyword oneOf has the same alternative twice", choice.where);
        if (a.id == b.id) continue;
        for (const uint32_t node : nodes_of(a.id)) {
          for (const uint32_t other : nodes_of(b.id)) {
            if (excludes(node, other)) continue;
            throw Error(
                "{}keyword oneOf is not supported where alternatives may overlap: give each a required property "
                "with a const of its own, or use anyOf",
                choice.where);
          }
        }
      }
    }
  }

  void count_comparisons(size_t count) {
    comparisons_ += static_cast<int64_t>(count);
    if (comparisons_ > kMaxComparisons) throw Error("schema: its oneOf are too large to compare");
  }

  // Whether nothing that is written for node `a` satisfies the schema of node `b`.
  bool excludes(uint32_t a, uint32_t b) {
    const Node &first = grammar_.nodes[a], &second = grammar_.nodes[b];
    if (b < parts_.typed.size() && !parts_.typed[b]) return false;
    if (first.kind == Kind::words && second.kind == Kind::words) return have_no_common_word(first, second);
    const std::set<char> types = types_of(a), others = types_of(b);
    count_comparisons(types.size() + first.words.size());
    if (std::none_of(types.begin(), types.end(), [&](char type) { return others.contains(type); })) return true;
    if (first.kind != Kind::object || second.kind != Kind::object) return false;
    for (size_t i = 0; i < first.words.size(); ++i) {
      if (!first.required[i]) continue;
      count_comparisons(second.words.size());
      const auto same = std::find(second.words.begin(), second.words.end(), first.words[i]);
      if (same == second.words.end()) continue;
      const Node* x = only_words(first.values[i]);
      const Node* y = only_words(second.values[static_cast<size_t>(same - second.words.begin())]);
      if (x != nullptr && y != nullptr && have_no_common_word(*x, *y)) return true;
    }
    return false;
  }

  const Node* only_words(uint32_t value) const {
    const std::vector<uint32_t>& nodes = grammar_.values[value];
    return nodes.size() == 1 && grammar_.nodes[nodes[0]].kind == Kind::words ? &grammar_.nodes[nodes[0]] : nullptr;
  }

  bool have_no_common_word(const Node& a, const Node& b) {
    count_comparisons(a.words.size() + b.words.size());
    std::set<nlohmann::json> values;  // 1 and 1.0 are one value, and the order of fields does not count.
    for (const std::string& word : a.words) values.insert(nlohmann::json::parse(word));
    return std::none_of(b.words.begin(), b.words.end(),
                        [&](const std::string& word) { return values.contains(nlohmann::json::parse(word)); });
  }

  JsonGrammar& grammar_;
  const SchemaParts& parts_;
  size_t bytes_ = 0;
  int64_t comparisons_ = 0;
};

// ---- The shortest text of each node. --------------------------------------------------------------------------------

int64_t shortest_scalar(const Node& node) {
  switch (node.kind) {
    case Kind::words: {
      size_t least = kNever;
      for (const std::string& word : node.words) least = std::min(least, word.size());
      return static_cast<int64_t>(least);
    }
    case Kind::string:
      return node.least <= node.most ? 2 + node.least : kNever;
    case Kind::number:
      return 1;
    case Kind::decimal:
      return shortest_decimal(node.least, node.most, node.decimals, {});
    default:
      return kNever;
  }
}

// A list or an object whose values may nest `depth_left` deep.
int64_t shortest_container(const JsonGrammar& grammar, const Node& node, int depth_left) {
  int64_t size = 2;
  if (node.kind == Kind::array) {
    if (node.least > node.most) return kNever;
    const auto first = std::min<int64_t>(std::ssize(node.values), node.least);
    for (int64_t i = 0; i < first; ++i) {
      size = std::min(kNever, size + grammar.shortest_value(node.values[static_cast<size_t>(i)], depth_left));
    }
    const int64_t others = node.least - first;
    if (others > 0) size += others * grammar.shortest_value(node.rest, depth_left);
    return std::min(kNever, size + std::max<int64_t>(0, node.least - 1));
  }
  int64_t commas = -1;
  for (size_t i = 0; i < node.words.size(); ++i) {
    if (!node.required[i]) continue;
    size += std::ssize(node.words[i]) + 1 + grammar.shortest_value(node.values[i], depth_left);
    size = std::min(kNever, size);
    ++commas;
  }
  return std::min(kNever, size + std::max<int64_t>(0, commas));
}

void find_shortest(JsonGrammar& grammar) {
  grammar.shortest.resize(grammar.nodes.size());
  for (size_t depth = 0; depth <= kMaxAnswerDepth; ++depth) {
    for (size_t i = 0; i < grammar.nodes.size(); ++i) {
      const Node& node = grammar.nodes[i];
      const bool is_container = node.kind == Kind::array || node.kind == Kind::object;
      int64_t size = kNever;
      if (!is_container) size = depth == 0 ? shortest_scalar(node) : grammar.shortest[i][0];
      if (is_container && depth > 0) size = shortest_container(grammar, node, static_cast<int>(depth) - 1);
      grammar.shortest[i][depth] = static_cast<int32_t>(std::min(kNever, size));
    }
  }
}

// Where a search for the marker goes on after a byte that does not continue it.
std::vector<uint32_t> failure_of(std::string_view marker) {
  std::vector<uint32_t> failure(marker.size());
  for (size_t i = 1; i < marker.size(); ++i) {
    uint32_t matched = failure[i - 1];
    while (matched > 0 && marker[matched] != marker[i]) matched = failure[matched - 1];
    failure[i] = matched + (marker[matched] == marker[i] ? 1 : 0);
  }
  return failure;
}

}  // namespace

std::shared_ptr<const JsonGrammar> compile_form(const AnswerForm& form) {
  auto grammar = std::make_shared<JsonGrammar>();
  Node document{.kind = Kind::document};
  grammar->nodes = {document, Node{.kind = Kind::string}};
  grammar->key_string = 1;
  SchemaParts parts;
  for (const AnswerForm::Choice& choice : form.choices) {
    document.words.push_back(choice.begin);
    document.values.push_back(SchemaReader(choice.schema, choice.what, choice.is_strict, *grammar, parts).read());
  }
  Resolver(*grammar, parts).resolve();
  find_shortest(*grammar);
  for (size_t i = 0; i < form.choices.size(); ++i) {
    if (grammar->shortest_value(document.values[i], kMaxAnswerDepth) < kNever) continue;
    throw Error("{}: /: no value that can be written satisfies it", form.choices[i].what);
  }
  grammar->nodes[0] = std::move(document);
  grammar->form = form;
  for (AnswerForm::Choice& choice : grammar->form.choices) choice.schema.clear();
  for (const AnswerForm::FreePart& part : form.free) grammar->failure.push_back(failure_of(part.until));
  return grammar;
}

}  // namespace tinyllm
