// JSON from untrusted files: parsing with limits, and access to fields with errors that name them. Not installed,
// because it needs nlohmann/json.
#pragma once

#include <tinyllm/tensor/base/error.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

using Json = nlohmann::json;

/// Deepest nesting of lists and objects that `parse_json` accepts: printing, copying and comparing are recursive.
inline constexpr int kMaxJsonDepth = 64;

/// Throws Error that begins with `what` and names line and byte, when a text nests deeper than kMaxJsonDepth. For use
/// before a parser without such a limit.
void check_json_depth(std::string_view text, std::string_view what);

/// Throws Error that begins with `what` and names line and byte, when the text is not JSON, nests deeper than
/// kMaxJsonDepth, or has a number that is too large.
Json parse_json(std::string_view text, std::string_view what);

/// Throws Error also when the text is another value than an object.
Json parse_json_object(std::string_view text, std::string_view what);

/// The object in a file. Throws Error also when the file cannot be read, holds another value, or has more than `most`
/// bytes.
Json load_json_object(const std::filesystem::path& path, uint64_t most = uint64_t{1} << 20);

// ---- For messages: always short, whatever the file holds. -----------------------------------------------------------

/// "a list", "a string", ...
std::string_view type_of(const Json& value);
/// The value as JSON, cut when it is long.
std::string shown(const Json& value);
/// In quotes, control characters escaped, cut when it is long.
std::string shortened(std::string_view text);
/// The same without quotes: for a name in a message.
std::string short_name(std::string_view name);

// ---- Fields of an object. Each throws Error that names the field, what it is and what was expected.
// -------------------

/// Null when the field is missing or null.
const Json* find_field(const Json& object, const char* field);
/// Throws Error when the field is missing or null.
const Json& need_field(const Json& object, const char* field);

/// The value of a field `name`. A float must be finite in 32 bits.
void read_value(const Json& value, std::string_view name, bool& into);
void read_value(const Json& value, std::string_view name, int64_t& into);
void read_value(const Json& value, std::string_view name, float& into);
void read_value(const Json& value, std::string_view name, std::string& into);
void read_value(const Json& value, std::string_view name, std::vector<std::string>& into);

/// Throws Error when the field is missing or of another type.
template <class T>
void read_field(const Json& object, const char* field, T& into) {
  read_value(need_field(object, field), field, into);
}

/// Whether a text is empty or has only blanks, tabs and line ends.
bool is_blank(std::string_view text);
/// Throws Error when the field is missing, is not a string, or is blank.
std::string text(const Json& object, const char* field);
/// Empty when the field is missing. Throws Error when it is not a string.
std::string text_or_none(const Json& object, const char* field);

}  // namespace tinyllm
