// Reads a JSON Schema into the nodes of a grammar. For json_schema.cc alone. Needs nlohmann/json.
#pragma once

#include <tinyllm/runtime/constraint/json_grammar.h>
#include <tinyllm/tensor/base/error.h>

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The content of a schema before references are resolved: each value is one of some nodes or other values.
struct SchemaParts {
  struct Part {
    bool is_value;
    uint32_t id;
  };
  std::vector<std::vector<Part>> values;
  /// A value from anyOf or oneOf, and its path in the schema.
  struct Choice {
    uint32_t value;
    bool excludes;  ///< oneOf: no value may fit two of its parts.
    std::string where;
    uint32_t fallback = JsonGrammar::kNone;  ///< Of a schema that is not strict: the value that fits anything.
  };
  std::vector<Choice> choices;
  /// For each node, whether its schema names its types; else other types are valid too.
  std::vector<bool> typed;
  uint32_t any = JsonGrammar::kNone;  ///< The value that fits anything.
};

class SchemaReader {
 public:
  using Json = nlohmann::ordered_json;  // Properties keep the order of the schema.

  /// `what` names the schema in errors. Nodes are added to the grammar. All must outlive the reader. `is_strict`: see
  /// AnswerForm::Choice.
  SchemaReader(std::string_view schema, const std::string& what, bool is_strict, JsonGrammar& grammar,
               SchemaParts& parts);

  /// The value of the whole schema.
  uint32_t read();

 private:
  // A schema inside the whole one.
  struct Place {
    const Json* schema;
    size_t parent;
    std::string step;  // The path from the parent, such as "properties/x".
    uint32_t value;
  };

  uint32_t value_of(const Json& schema, size_t parent, std::string step);
  void read(size_t place);
  void read_loosely(size_t place);
  const char* only_keyword(size_t place) const;
  void check_keywords(size_t place) const;
  void read_reference(size_t place);
  void read_choice(size_t place, const char* keyword);
  void read_types(size_t place);
  void read_literals(size_t place, unsigned types, bool is_typed);
  void read_number(size_t place, bool is_integer, bool is_typed);
  void read_array(size_t place, bool is_typed);
  void read_object(size_t place, bool is_typed);
  unsigned types_of(size_t place) const;
  bool fits(size_t place, const Json& literal, unsigned types) const;

  const Json& schema(size_t place) const { return *places_[place].schema; }
  const Json* find(size_t place, const char* keyword) const;
  const Json* list(size_t place, const char* keyword) const;
  int64_t count(size_t place, const char* keyword, int64_t fallback) const;
  long double bound(size_t place, const char* inclusive, const char* exclusive, bool is_low, bool& excludes) const;
  uint32_t any();
  void add(size_t place, JsonGrammar::Node node, bool is_typed);
  uint32_t add_node(JsonGrammar::Node node, bool is_typed);

  std::string where(size_t place) const;
  template <class... Args>
  [[noreturn]] void fail(size_t place, fmt::format_string<Args...> format, Args&&... args) const {
    throw Error("{}{}", where(place), fmt::format(format, std::forward<Args>(args)...));
  }

  std::string what_;
  bool is_strict_;
  JsonGrammar& grammar_;
  SchemaParts& parts_;
  Json root_;
  std::vector<Place> places_;
  std::map<const Json*, uint32_t> known_;
};

}  // namespace tinyllm
