#include <tinyllm/runtime/agent/plan.h>

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/names.h>

#include <algorithm>
#include <set>

namespace tinyllm::agent {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxRules = 200;

template <class... Args>
[[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) {
  throw AgentError(Code::bad_plan, format, std::forward<Args>(args)...);
}

// The fields that each operation must have, one of a group separated by |, and those that it may have.
struct Form {
  Operation operation;
  std::vector<const char*> must, may;
};

const Form& form_of(Operation operation) {
  static const std::vector<Form> forms = {
      {Operation::create, {"path"}, {"content", "overwrite", "encoding"}},
      {Operation::read, {"path"}, {"encoding"}},
      {Operation::update, {"path", "edits"}, {"encoding"}},
      {Operation::remove, {"path|pattern"}, {"recursive", "filters"}},
      {Operation::move, {"src|pattern", "dst"}, {"overwrite", "filters"}},
      {Operation::copy, {"src|pattern", "dst"}, {"overwrite", "filters"}},
      {Operation::list, {"path|pattern"}, {"filters", "recursive"}},
      {Operation::find, {"pattern"}, {"filters"}},
      {Operation::classify, {"pattern", "rules"}, {"filters"}},
      {Operation::rename, {"src|pattern", "new_name|find|template"}, {"with", "filters", "batch"}},
      {Operation::tag, {"path|pattern", "tag"}, {"filters", "encoding"}},
      {Operation::compress, {"path|pattern", "dst"}, {"filters", "overwrite"}},
      {Operation::extract, {"path", "dst"}, {}}};
  return *std::find_if(forms.begin(), forms.end(), [&](const Form& form) { return form.operation == operation; });
}

bool one_of(std::string_view group, std::string_view name) {
  while (!group.empty()) {
    const std::string_view first = group.substr(0, group.find('|'));
    if (first == name) return true;
    group.remove_prefix(std::min(first.size() + 1, group.size()));
  }
  return false;
}

void check_form(const Json& step, const Form& form) {
  for (const auto& [name, value] : step.items()) {
    const auto is = [&, &key = name](const char* group) { return one_of(group, key); };
    if (name != "operation" && std::none_of(form.must.begin(), form.must.end(), is) &&
        std::none_of(form.may.begin(), form.may.end(), is)) {
      bad("field {}: {} does not take it", shortened(name), name_of(form.operation));
    }
  }
  for (const char* group : form.must) {
    const auto found = std::count_if(step.items().begin(), step.items().end(),
                                     [&](const auto& field) { return one_of(group, field.key()); });
    if (found != 1) bad("{}: {} of the fields {}, expected one", name_of(form.operation), found, group);
  }
}

std::string text_field(const Json& object, const char* field) {
  std::string value;
  if (find_field(object, field) != nullptr) read_field(object, field, value);
  return value;
}

bool flag_field(const Json& object, const char* field) {
  bool value = false;
  if (find_field(object, field) != nullptr) read_field(object, field, value);
  return value;
}

void check_fields(const Json& object, const char* what, const std::set<std::string>& known) {
  if (!object.is_object()) bad("{}: is {}, expected an object", what, type_of(object));
  for (const auto& [name, value] : object.items()) {
    if (!known.contains(name)) bad("{}: field {} is not known", what, shortened(name));
    if (value.is_null()) bad("{}: field {} is null", what, shortened(name));
  }
}

std::vector<std::string> words(const Json& object, const char* field) {
  const Json* value = find_field(object, field);
  if (value == nullptr) return {};
  std::vector<std::string> list;
  if (value->is_string()) {
    list.push_back(value->get<std::string>());
  } else {
    read_value(*value, field, list);
  }
  if (list.size() > kMaxRules) bad("{}: {} entries, expected at most {}", field, list.size(), kMaxRules);
  return list;
}

std::vector<std::string> extensions(const Json& object) {
  std::vector<std::string> list = words(object, "ext");
  for (std::string& extension : list) {
    if (extension.starts_with('.')) extension.erase(0, 1);
    if (extension.empty()) bad("ext: is empty, expected for example pdf");
    extension = folded(extension);
  }
  return list;
}

std::string size_text(const Json& value) {
  return value.is_number_integer() ? value.dump() : value.is_string() ? value.get<std::string>() : "";
}

Filters filters_of(const Json& object, int64_t now) {
  check_fields(object, "filters",
               {"ext", "contains", "name_contains", "larger_than", "smaller_than", "older_than", "newer_than", "type",
                "except"});
  Filters filters;
  filters.extensions = extensions(object);
  filters.contains = text_field(object, "contains");
  filters.name_contains = text_field(object, "name_contains");
  if (const Json* value = find_field(object, "larger_than")) filters.larger_than = parse_size(size_text(*value));
  if (const Json* value = find_field(object, "smaller_than")) filters.smaller_than = parse_size(size_text(*value));
  if (object.contains("older_than")) filters.older_than = parse_time(text_field(object, "older_than"), now);
  if (object.contains("newer_than")) filters.newer_than = parse_time(text_field(object, "newer_than"), now);
  filters.type = text_field(object, "type");
  if (filters.type == "dir" || filters.type == "directory") filters.type = "folder";
  if (!filters.type.empty() && filters.type != "file" && filters.type != "folder") {
    bad("type: {}, expected file or folder", shortened(filters.type));
  }
  filters.except = words(object, "except");
  return filters;
}

Edit edit_of(const Json& object) {
  check_fields(object, "an edit", {"kind", "find", "with", "count"});
  Edit edit;
  const std::string kind = text_field(object, "kind");
  const auto found = parse_name<Edit::Kind>(kind);
  if (!found) bad("kind: {}, expected set, append, prepend or replace", shortened(kind));
  edit.kind = *found;
  read_field(object, "with", edit.with);
  edit.find = text_field(object, "find");
  const bool replaces = edit.kind == Edit::Kind::replace;
  if (replaces == edit.find.empty()) bad("find: {} needs {}", kind, replaces ? "it" : "none");
  if (const Json* count = find_field(object, "count")) {
    if (!replaces) bad("count: {} does not take it", kind);
    if (*count == "all") {
      edit.count = 0;
    } else {
      read_value(*count, "count", edit.count);
      if (edit.count < 1) bad("count: {}, expected 1 or more, or \"all\"", edit.count);
    }
  }
  return edit;
}

Rule rule_of(const Json& object) {
  check_fields(object, "a rule", {"ext", "contains", "name_contains", "by", "default", "to"});
  Rule rule;
  rule.extensions = extensions(object);
  rule.contains = text_field(object, "contains");
  rule.name_contains = text_field(object, "name_contains");
  rule.by = text_field(object, "by");
  rule.is_default = flag_field(object, "default");
  read_field(object, "to", rule.to);
  if (rule.to.empty()) bad("to: is empty, expected a folder");
  if (!rule.by.empty() && rule.by != "ext" && rule.by != "year" && rule.by != "month" && rule.by != "day") {
    bad("by: {}, expected ext, year, month or day", shortened(rule.by));
  }
  const bool has_condition =
      !rule.extensions.empty() || !rule.contains.empty() || !rule.name_contains.empty() || !rule.by.empty();
  if (has_condition == rule.is_default) bad("a rule has either a condition or \"default\": true");
  return rule;
}

template <class T, class Read>
std::vector<T> list_of(const Json& step, const char* field, Read read) {
  std::vector<T> list;
  const Json* values = find_field(step, field);
  if (values == nullptr) return list;
  if (!values->is_array() || values->empty() || values->size() > kMaxRules) {
    bad("{}: expected a list of 1 to {}", field, kMaxRules);
  }
  for (const Json& value : *values) list.push_back(read(value));
  return list;
}

Step step_of(const Json& object, int64_t now) {
  if (!object.is_object()) bad("is {}, expected an object", type_of(object));
  Step step;
  const std::string operation = text_field(object, "operation");
  const auto found = parse_name<Operation>(operation);
  if (!found) bad("operation: {} is not known", shortened(operation));
  step.operation = *found;
  for (const auto& [name, value] : object.items()) {
    if (value.is_null()) bad("field {} is null", shortened(name));
  }
  check_form(object, form_of(step.operation));
  for (const auto& [field, into] : {std::pair{"path", &step.path},
                                    {"pattern", &step.pattern},
                                    {"src", &step.src},
                                    {"dst", &step.dst},
                                    {"new_name", &step.new_name},
                                    {"tag", &step.tag},
                                    {"find", &step.find},
                                    {"template", &step.name_template}}) {
    if (!object.contains(field)) continue;
    *into = text_field(object, field);
    if (into->empty()) bad("{}: is empty", field);
  }
  if (object.contains("content")) step.content = text_field(object, "content");
  step.with = text_field(object, "with");
  if (object.contains("find") != object.contains("with")) bad("find and with belong together");
  if (object.contains("new_name") && object.contains("pattern")) bad("new_name: needs src, not a pattern");
  step.overwrite = flag_field(object, "overwrite");
  step.recursive = flag_field(object, "recursive");
  if (object.contains("filters")) {
    if (!object.contains("pattern")) bad("filters: need a pattern");
    step.filters = filters_of(object.at("filters"), now);
  }
  step.edits = list_of<Edit>(object, "edits", edit_of);
  step.rules = list_of<Rule>(object, "rules", rule_of);
  if (object.contains("batch")) read_field(object, "batch", step.batch);
  step.encoding = folded(text_field(object, "encoding"));
  if (step.encoding == "gbk" || step.encoding == "gb2312") step.encoding = "gb18030";
  if (step.encoding == "utf8") step.encoding = "utf-8";
  if (!step.encoding.empty() && step.encoding != "utf-8" && step.encoding != "gb18030") {
    bad("encoding: {}, expected utf-8 or gb18030", shortened(step.encoding));
  }
  return step;
}

// The limit is far below what the parser allows: a plan nests four deep.
void check_depth(std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      i += c == '\\';
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) bad("the plan nests deeper than {}", kMaxDepth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

}  // namespace

Plan parse_plan(std::string_view json, int64_t now) {
  if (json.size() > kMaxPlanBytes) bad("the plan has {} bytes, expected at most {}", json.size(), kMaxPlanBytes);
  check_depth(json);
  Plan plan;
  try {
    const Json value = parse_json(json, "the plan");
    const Json* steps = &value;
    if (value.is_object()) {
      check_fields(value, "the plan", {"steps", "request"});
      steps = &need_field(value, "steps");
      plan.request = text_field(value, "request");
    }
    if (!steps->is_array() || steps->empty() || steps->size() > kMaxSteps) {
      bad("the plan: expected a list of 1 to {} steps", kMaxSteps);
    }
    for (const Json& step : *steps) {
      try {
        plan.steps.push_back(step_of(step, now));
      } catch (const Error& error) {
        bad("step {}: {}", plan.steps.size() + 1, error.what());
      }
    }
  } catch (const AgentError&) {
    throw;
  } catch (const Error& error) {
    bad("{}", error.what());
  }
  return plan;
}

}  // namespace tinyllm::agent
