#pragma once

#include <tinyllm/model/text/jinja/arguments.h>

namespace tinyllm::jinja {

/// Whether a text or a dict has this method. Lists have no methods, since transformers forbids changing lists.
bool is_method(const Value& self, std::string_view name);
Value call_method(const Method& method, const Arguments& arguments, Budget& budget);

}  // namespace tinyllm::jinja
