#include <tinyllm/runtime/serve/ordered_field.h>

#include <tinyllm/runtime/serve/api_error.h>

namespace tinyllm {
namespace {

constexpr size_t kMaxKeys = 8192;  // Each new one is compared with those of its object.

const OrderedJson* find_in(const OrderedJson& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

[[noreturn]] void wrong_type(std::string_view param, const char* name, std::string_view expected) {
  const std::string field = fmt::format("{}.{}", param, name);
  throw ApiError(400, "invalid_type", field, "{}: expected {}", field, expected);
}

}  // namespace

OrderedJson ordered_field(std::string_view body, std::string_view name) {
  size_t keys = 0;
  bool is_wanted = false;
  const auto keep = [&](int depth, OrderedJson::parse_event_t event, OrderedJson& parsed) {
    if (event != OrderedJson::parse_event_t::key) return true;
    if (depth == 1) is_wanted = parsed == name;
    if (is_wanted && ++keys > kMaxKeys) {
      throw ApiError(400, "invalid_value", name, "{}: more than {} keys", name, kMaxKeys);
    }
    return is_wanted;
  };
  return OrderedJson::parse(body, keep)[std::string(name)];
}

std::string need_text(const OrderedJson& object, const char* name, std::string_view param) {
  const OrderedJson* found = find_in(object, name);
  if (found == nullptr || found->is_null()) {
    throw ApiError(400, "missing_required_parameter", fmt::format("{}.{}", param, name),
                   "{}.{}: missing, expected a string", param, name);
  }
  if (!found->is_string()) wrong_type(param, name, "a string");
  return found->get<std::string>();
}

const OrderedJson& need_object(const OrderedJson& object, const char* name, std::string_view param) {
  const OrderedJson* found = find_in(object, name);
  if (found == nullptr || !found->is_object()) wrong_type(param, name, "an object");
  return *found;
}

const OrderedJson& need_schema(const OrderedJson& object, const char* name, std::string_view param) {
  const OrderedJson* found = find_in(object, name);
  if (found == nullptr || (!found->is_object() && !found->is_boolean())) wrong_type(param, name, "a JSON schema");
  return *found;
}

void refuse_value(std::string_view param, std::string_view what) {
  throw ApiError(400, "invalid_value", param, "{}: {}", param, what);
}

}  // namespace tinyllm
