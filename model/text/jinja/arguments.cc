#include <tinyllm/model/text/jinja/arguments.h>

#include <algorithm>

namespace tinyllm::jinja {

Bound::Bound(std::string_view callee, std::span<const std::string_view> parameters, const Arguments& arguments)
    : callee_(callee), parameters_(parameters), values_(parameters.size(), nullptr) {
  if (arguments.values.size() > parameters.size()) {
    throw Error("{}: found {} arguments, expected at most {}", callee, arguments.values.size(), parameters.size());
  }
  for (size_t i = 0; i < arguments.values.size(); ++i) values_[i] = &arguments.values[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) throw Error("{}: does not know the argument '{}'", callee, name);
    const Value*& place = values_[static_cast<size_t>(found - parameters.begin())];
    if (place != nullptr) throw Error("{}: the argument '{}' is given twice", callee, name);
    place = &value;
  }
}

const Value& Bound::need(size_t parameter) const {
  if (values_[parameter] == nullptr) throw Error("{}: lacks the argument '{}'", callee_, parameters_[parameter]);
  return *values_[parameter];
}

const Text& Bound::text(size_t parameter) const {
  const Text* text = text_in(need(parameter));
  if (text == nullptr) refuse(parameter, "a string");
  return *text;
}

int64_t Bound::integer(size_t parameter, int64_t otherwise) const {
  if (values_[parameter] == nullptr || std::holds_alternative<None>(*values_[parameter])) return otherwise;
  int64_t storage = 0;
  const int64_t* integer = integer_in(*values_[parameter], storage);
  if (integer == nullptr) refuse(parameter, "an integer");
  return *integer;
}

bool Bound::flag(size_t parameter, bool otherwise) const {
  return values_[parameter] == nullptr ? otherwise : truth(*values_[parameter]);
}

const Text* Bound::text_or_none(size_t parameter) const {
  if (values_[parameter] == nullptr || std::holds_alternative<None>(*values_[parameter])) return nullptr;
  return &text(parameter);
}

void Bound::refuse(size_t parameter, std::string_view expected) const {
  const Value& found = *values_[parameter];
  if (const auto* missing = std::get_if<Undefined>(&found)) throw Error("{}", *missing->why);
  throw Error("{}: the argument '{}' is {}, expected {}", callee_, parameters_[parameter], type_name(found), expected);
}

const Function* find_function(std::span<const Function> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Function& f) { return f.name == name; });
  return found == table.end() ? nullptr : &*found;
}

Value call(const Function& function, const Value& self, const Arguments& arguments, Budget& budget) {
  return function.run(self, Bound(function.name, function.parameters, arguments), budget);
}

}  // namespace tinyllm::jinja
