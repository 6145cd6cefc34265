#pragma once

#include <tinyllm/model/text/jinja/arguments.h>

namespace tinyllm::jinja {

/// `value | name(arguments)`. Throws Error that names an unknown filter.
Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);
/// `value is name(arguments)`. Throws Error that names an unknown test.
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);

/// The filters over the items of a list: select, selectattr, reject, rejectattr, map, sort, unique, min, max. Returns
/// false if `name` is not one of them.
bool apply_item_filter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget,
                       Value& result);

/// The part of a value that a filter's argument `attribute` names. `a.b` is a field of a field; a number is an index.
Value path_of(const Value& value, const Value& path, Budget& budget);

}  // namespace tinyllm::jinja
