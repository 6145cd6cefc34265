#pragma once

#include <tinyllm/model/text/jinja/value.h>

#include <span>

namespace tinyllm::jinja {

/// The arguments of a call, as given.
struct Arguments {
  std::vector<Value> values;
  std::vector<std::pair<std::string, Value>> named;
};

/// The arguments of a call to `callee`, assigned to its parameters.
class Bound {
 public:
  /// Throws Error on too many arguments, or one with an unknown name.
  Bound(std::string_view callee, std::span<const std::string_view> parameters, const Arguments& arguments);

  /// Null if it was left out.
  const Value* get(size_t parameter) const { return values_[parameter]; }
  /// Throws Error if it was left out.
  const Value& need(size_t parameter) const;
  /// These throw Error if the argument has another type.
  const Text& text(size_t parameter) const;
  int64_t integer(size_t parameter, int64_t otherwise) const;
  bool flag(size_t parameter, bool otherwise) const;
  /// Null if it was left out or is None.
  const Text* text_or_none(size_t parameter) const;

 private:
  [[noreturn]] void refuse(size_t parameter, std::string_view expected) const;

  std::string_view callee_;
  std::span<const std::string_view> parameters_;
  std::vector<const Value*> values_;
};

/// A filter or a method of texts and dicts.
struct Function {
  std::string_view name;
  std::vector<std::string_view> parameters;
  Value (*run)(const Value& self, const Bound& arguments, Budget& budget);
};
/// Null if the table has no such function.
const Function* find_function(std::span<const Function> table, std::string_view name);
Value call(const Function& function, const Value& self, const Arguments& arguments, Budget& budget);

}  // namespace tinyllm::jinja
