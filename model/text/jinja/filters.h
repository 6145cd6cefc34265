#pragma once

#include <tinyllm/model/text/jinja/arguments.h>

namespace tinyllm::jinja {

/// `value | name(arguments)`. Throws Error that names it when there is no such filter.
Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);
/// `value is name(arguments)`. Throws Error that names it when there is no such test.
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);

/// The filters that run over items: select, selectattr, reject, rejectattr, map, sort, unique, min, max. False when
/// `name` is none of them.
bool apply_item_filter(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget,
                       Value& result);

/// The field of a value that a filter's argument `attribute` names: `a.b` is a field of a field, numbers are indices.
Value path_of(const Value& value, const Value& path, Budget& budget);

}  // namespace tinyllm::jinja
