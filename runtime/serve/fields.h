// The fields of requests: one table that validation, messages of errors and the OpenAPI document come from. Only for
// sources that may include nlohmann/json.
#pragma once

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/range.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// What has fields: the endpoints that take a body. A field's row names those that know it, as a set.
enum Endpoint : unsigned {
  kChat = 1,
  kCompletions = 2,
  kEmbeddings = 4,
  kResponses = 8,
  kMessages = 16,
  kTokenize = 32,
  kDetokenize = 64,
  kSelfConsistency = 128,  ///< Not an endpoint: the object of this name.
};

struct Field {
  enum class Type : uint8_t {
    flag,     // true or false
    whole,    // an integer
    number,   // any finite number
    text,     // a string
    texts,    // a string, or a list of them
    list,     // checked by whoever reads it
    object,   // the same
    any,      // the same
    unserved  // has a meaning that is not served: refused unless it is `fallback` or empty
  };
  const char* name;
  Type type;
  unsigned endpoints;
  Range range;           ///< Of a number.
  const char* fallback;  ///< What stands for a missing field, as JSON; "": nothing does.
  const char* meaning;   ///< For people.
  Endpoint inner = {};   ///< Of an object: whose fields it has; 0: it is checked by whoever reads it.
};

std::span<const Field> all_fields();
std::string_view name_of(Field::Type type);

/// The fields of one request, all of the right type and in range. null is as missing; fields that no row names are not
/// looked at.
class Fields {
 public:
  /// Parses a body. Throws ApiError: where it is not JSON, nests too deeply, or a field is wrong or missing.
  Fields(Endpoint endpoint, std::string_view body);
  /// Those of an object within a body. Errors name them as `name`.samples.
  Fields(Endpoint object, const Json& value, std::string_view name);

  /// The value of a field that the endpoint has, or its fallback.
  bool flag(const char* name) const;
  int64_t whole(const char* name) const;
  double number(const char* name) const;
  std::string text(const char* name) const;
  std::vector<std::string> texts(const char* name) const;
  /// Null when it is missing.
  const Json* find(const char* name) const;
  /// The value of a field that must not be missing.
  const Json& need(const char* name) const { return *find(name); }

 private:
  void check_all() const;

  Endpoint endpoint_;
  Json body_;
};

}  // namespace tinyllm
