// Parts of a request whose own order counts: schemas, and the tools that a template shows to the model. Only for
// sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/serve/json_text.h>

#include <string>
#include <string_view>

namespace tinyllm {

/// A field of a request's body with its objects in their own order. Throws ApiError on too many keys.
OrderedJson ordered_field(std::string_view body, std::string_view name);

/// Fields of an object that must be there. `param` is the name of the object. Throw ApiError.
std::string need_text(const OrderedJson& object, const char* name, std::string_view param);
const OrderedJson& need_object(const OrderedJson& object, const char* name, std::string_view param);
/// An object, true or false.
const OrderedJson& need_schema(const OrderedJson& object, const char* name, std::string_view param);

/// Throws ApiError (400).
[[noreturn]] void refuse_value(std::string_view param, std::string_view what);

}  // namespace tinyllm
