#include <tinyllm/runtime/agent/policy.h>

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>

namespace tinyllm::agent {
namespace {

constexpr size_t kMaxBytes = 64 << 10;
constexpr size_t kMaxList = 1000;

template <class... Args>
[[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) {
  throw AgentError(Code::bad_plan, format, std::forward<Args>(args)...);
}

std::string text_of(const YAML::Node& value, const std::string& key) {
  if (!value.IsScalar()) bad("{}: expected a text", key);
  return value.Scalar();
}

bool flag_of(const YAML::Node& value, const std::string& key) {
  bool flag = false;
  if (!value.IsScalar() || !YAML::convert<bool>::decode(value, flag)) bad("{}: expected true or false", key);
  return flag;
}

std::string choice_of(const YAML::Node& value, const std::string& key, const std::vector<std::string>& known) {
  const std::string text = folded(text_of(value, key));
  for (const std::string& each : known) {
    if (text == each) return text;
  }
  bad("{}: {}, expected {}", key, escaped(text), fmt::join(known, " or "));
}

std::vector<std::string> list_of(const YAML::Node& value, const std::string& key) {
  if (!value.IsSequence() || value.size() > kMaxList) bad("{}: expected a list of at most {}", key, kMaxList);
  std::vector<std::string> list;
  for (const auto& each : value) list.push_back(text_of(each, key));
  return list;
}

std::vector<std::string> globs_of(const YAML::Node& value, const std::string& key) {
  std::vector<std::string> list = list_of(value, key);
  for (const std::string& pattern : list) Glob{pattern};
  return list;
}

std::set<Operation> operations_of(const YAML::Node& value, const std::string& key) {
  std::set<Operation> operations;
  for (const std::string& name : list_of(value, key)) {
    const auto operation = parse_name<Operation>(name);
    if (!operation) bad("{}: {} is not an operation", key, escaped(name));
    operations.insert(*operation);
  }
  return operations;
}

std::filesystem::path path_of(const YAML::Node& value, const std::string& key, const std::filesystem::path& folder) {
  const std::string text = text_of(value, key);
  if (text.empty() || text.find('\0') != text.npos) bad("{}: is not a path", key);
  return folder / text;
}

int64_t number_of(const YAML::Node& value, const std::string& key) {
  int64_t number = 0;
  if (!value.IsScalar() || !YAML::convert<int64_t>::decode(value, number) || number < 1) {
    bad("{}: expected a number of 1 or more", key);
  }
  return number;
}

using Read = std::function<void(Policy&, const YAML::Node&, const std::string&)>;

std::map<std::string, Read> keys(const std::filesystem::path& folder) {
  return {
      {"root", [folder](Policy& p, const auto& v, const auto& k) { p.root = path_of(v, k, folder); }},
      {"allow_ops", [](Policy& p, const auto& v, const auto& k) { p.allow_ops = operations_of(v, k); }},
      {"deny_patterns", [](Policy& p, const auto& v, const auto& k) { p.deny_patterns = globs_of(v, k); }},
      {"dry_run_default", [](Policy& p, const auto& v, const auto& k) { p.dry_run_default = flag_of(v, k); }},
      {"require_confirm_for",
       [](Policy& p, const auto& v, const auto& k) { p.require_confirm_for = operations_of(v, k); }},
      {"allow_unattended", [](Policy& p, const auto& v, const auto& k) { p.allow_unattended = operations_of(v, k); }},
      {"backup", [](Policy& p, const auto& v, const auto& k) { p.backup = flag_of(v, k); }},
      {"backup_before_delete", [](Policy& p, const auto& v, const auto& k) { p.backup = flag_of(v, k); }},
      {"log_path", [folder](Policy& p, const auto& v, const auto& k) { p.log_path = path_of(v, k, folder); }},
      {"max_batch", [](Policy& p, const auto& v, const auto& k) { p.max_batch = number_of(v, k); }},
      {"encoding",
       [](Policy& p, const auto& v, const auto& k) {
         p.encoding = choice_of(v, k, {"utf-8", "utf8", "gb18030", "gbk"});
         p.encoding = p.encoding.starts_with("utf") ? "utf-8" : "gb18030";
       }},
      {"on_error",
       [](Policy& p, const auto& v, const auto& k) {
         p.rollback_on_error = choice_of(v, k, {"rollback", "stop"}) == "rollback";
       }},
      {"portable_names", [](Policy& p, const auto& v, const auto& k) { p.portable_names = flag_of(v, k); }},
      {"follow_symlinks",
       [](Policy& p, const auto& v, const auto& k) {
         p.follow_symlinks_inside = choice_of(v, k, {"never", "inside"}) == "inside";
       }},
      {"allow_hidden", [](Policy& p, const auto& v, const auto& k) { p.allow_hidden = globs_of(v, k); }},
  };
}

}  // namespace

Policy::Policy() {
  for (const Operation operation : all_of<Operation>()) allow_ops.insert(operation);
}

Policy parse_policy(std::string_view text, const std::filesystem::path& folder) {
  if (text.size() > kMaxBytes) bad("the configuration has {} bytes, expected at most {}", text.size(), kMaxBytes);
  check_utf8(text, "the configuration");
  Policy policy;
  try {
    YAML::Node file = YAML::Load(std::string(text));
    if (file.IsMap() && file.size() == 1 && file["agent"]) file = file["agent"];
    if (!file.IsMap()) bad("the configuration: expected keys and values");
    const auto known = keys(folder);
    for (const auto& entry : file) {
      const std::string key = text_of(entry.first, "a key");
      const auto found = known.find(key);
      if (found == known.end()) bad("{}: is not a key of the configuration", escaped(key));
      found->second(policy, entry.second, key);
    }
  } catch (const YAML::Exception& error) {
    bad("the configuration: line {}: {}", error.mark.line + 1, escaped(error.msg));
  }
  return policy;
}

Policy load_policy(const std::filesystem::path& file) {
  try {
    return parse_policy(read_file(file, kMaxBytes), absolute_path(file).parent_path());
  } catch (const Error& error) {
    throw AgentError(Code::bad_plan, "{}: {}", escaped(file.string()), error.what());
  }
}

}  // namespace tinyllm::agent
