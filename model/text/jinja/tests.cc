// The tests that may follow `is`.
#include <tinyllm/model/text/jinja/filters.h>
#include <tinyllm/model/text/jinja/text_functions.h>

namespace tinyllm::jinja {
namespace {

using Test = bool (*)(const Value& value, const Bound& arguments, Budget& budget);

struct NamedTest {
  std::string_view name;
  bool has_argument;
  Test run;
};

bool is_iterable(const Value& value) {
  return is_undefined(value) || text_in(value) != nullptr || list_in(value) != nullptr || dict_in(value) != nullptr;
}

bool is_sequence(const Value& value) {
  const List* list = list_in(value);
  return is_iterable(value) &&
         (list == nullptr || (list->kind != List::Kind::view && list->kind != List::Kind::generator));
}

bool is_number(const Value& value) {
  return std::holds_alternative<bool>(value) || std::holds_alternative<int64_t>(value) ||
         std::holds_alternative<double>(value);
}

bool is_bool(const Value& value, bool truth_value) {
  const bool* found = std::get_if<bool>(&value);
  return found != nullptr && *found == truth_value;
}

bool is_callable(const Value& value) {
  return std::holds_alternative<std::shared_ptr<const Method>>(value) || std::holds_alternative<const Macro*>(value) ||
         std::holds_alternative<Builtin>(value);
}

int64_t remainder_of(const Value& value, int64_t divisor) {
  int64_t storage = 0;
  const int64_t* integer = integer_in(value, storage);
  if (integer == nullptr) throw Error("found {}, expected an integer to divide", type_name(value));
  if (divisor == 0) throw Error("divides by 0");
  return divisor == -1 ? 0 : *integer % divisor;
}

// Whether a text has letters and all of them have this case.
bool has_case(const Value& value, Case wanted, Budget& budget) {
  const Text* text = text_in(value);
  if (text == nullptr) return false;
  const auto as = [&](Case to) { return with_case(*text, to, budget); };
  const Case other = wanted == Case::lower ? Case::upper : Case::lower;
  return equal(value, as(wanted), budget) && !equal(value, as(other), budget);
}

const NamedTest kTests[] = {
    {"boolean", false, [](auto& v, auto&, auto&) { return std::holds_alternative<bool>(v); }},
    {"callable", false, [](auto& v, auto&, auto&) { return is_callable(v); }},
    {"defined", false, [](auto& v, auto&, auto&) { return !is_undefined(v); }},
    {"divisibleby", true, [](auto& v, auto& a, auto&) { return remainder_of(v, a.integer(0, 0)) == 0; }},
    {"eq", true, [](auto& v, auto& a, auto& b) { return equal(v, a.need(0), b); }},
    {"==", true, [](auto& v, auto& a, auto& b) { return equal(v, a.need(0), b); }},
    {"equalto", true, [](auto& v, auto& a, auto& b) { return equal(v, a.need(0), b); }},
    {"even", false, [](auto& v, auto&, auto&) { return remainder_of(v, 2) == 0; }},
    {"false", false, [](auto& v, auto&, auto&) { return is_bool(v, false); }},
    {"float", false, [](auto& v, auto&, auto&) { return std::holds_alternative<double>(v); }},
    {"ge", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) >= 0; }},
    {">=", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) >= 0; }},
    {"gt", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) > 0; }},
    {">", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) > 0; }},
    {"greaterthan", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) > 0; }},
    {"in", true, [](auto& v, auto& a, auto& b) { return contains(a.need(0), v, b); }},
    {"integer", false, [](auto& v, auto&, auto&) { return std::holds_alternative<int64_t>(v); }},
    {"iterable", false, [](auto& v, auto&, auto&) { return is_iterable(v); }},
    {"le", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) <= 0; }},
    {"<=", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) <= 0; }},
    {"lower", false, [](auto& v, auto&, auto& b) { return has_case(v, Case::lower, b); }},
    {"lt", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) < 0; }},
    {"<", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) < 0; }},
    {"lessthan", true, [](auto& v, auto& a, auto& b) { return compare(v, a.need(0), b) < 0; }},
    {"mapping", false, [](auto& v, auto&, auto&) { return dict_in(v) != nullptr; }},
    {"ne", true, [](auto& v, auto& a, auto& b) { return !equal(v, a.need(0), b); }},
    {"!=", true, [](auto& v, auto& a, auto& b) { return !equal(v, a.need(0), b); }},
    {"none", false, [](auto& v, auto&, auto&) { return std::holds_alternative<None>(v); }},
    {"number", false, [](auto& v, auto&, auto&) { return is_number(v); }},
    {"odd", false, [](auto& v, auto&, auto&) { return remainder_of(v, 2) != 0; }},
    {"sameas", true,
     [](auto& v, auto& a, auto& b) { return v.index() == a.need(0).index() && equal(v, a.need(0), b); }},
    {"sequence", false, [](auto& v, auto&, auto&) { return is_sequence(v); }},
    {"string", false, [](auto& v, auto&, auto&) { return text_in(v) != nullptr; }},
    {"true", false, [](auto& v, auto&, auto&) { return is_bool(v, true); }},
    {"undefined", false, [](auto& v, auto&, auto&) { return is_undefined(v); }},
    {"upper", false, [](auto& v, auto&, auto& b) { return has_case(v, Case::upper, b); }},
};

}  // namespace

bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  budget.step();
  static constexpr std::string_view kParameters[] = {"other"};
  for (const NamedTest& test : kTests) {
    if (test.name != name) continue;
    return test.run(value, Bound(name, std::span(kParameters).first(test.has_argument ? 1 : 0), arguments), budget);
  }
  throw Error("the test '{}' is not supported", name);
}

}  // namespace tinyllm::jinja
