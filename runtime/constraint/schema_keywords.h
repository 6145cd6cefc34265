// The keywords that a schema may have. For the sources of SchemaReader alone. Needs nlohmann/json.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

namespace tinyllm::keywords {

/// Sets of the types of JSON, one bit each. A number may be an integer.
enum Type : unsigned { kNull = 1, kBoolean = 2, kInteger = 4, kNumber = 8, kString = 16, kArray = 32, kObject = 64 };
inline constexpr unsigned kAllTypes = 127 - kInteger;

/// A keyword that is supported.
struct Keyword {
  std::string_view name;
  unsigned types;  ///< The type that it restricts; 0: any.
};
/// Null if the keyword is not supported.
const Keyword* find_keyword(std::string_view name);
/// Whether a keyword only describes values, and restricts none.
bool is_annotation(std::string_view name);

/// The type of a value for errors, as `type_of` of tensor/base/json.h names it.
std::string_view kind_of(const nlohmann::ordered_json& json);
/// The value of a number. This type holds every integer and every double of JSON exactly.
long double exact(const nlohmann::ordered_json& number);

}  // namespace tinyllm::keywords
