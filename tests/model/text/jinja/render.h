// Helpers of the tests of chat templates in Jinja.
#pragma once

#include <tinyllm/model/text/jinja_template.h>
#include <tinyllm/tensor/base/file.h>

#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace tinyllm::test {

using OrderedJson = nlohmann::ordered_json;

/// An object of names and values as what a template is given.
inline JinjaInput input_of(const OrderedJson& names) {
  JinjaInput input;
  for (const auto& [name, value] : names.items()) {
    if (name == "messages") {
      input.messages = value;
    } else if (name == "tools") {
      input.tools = value;
    } else if (name == "add_generation_prompt") {
      input.add_generation_prompt = value.get<bool>();
    } else if (name == "enable_thinking") {
      input.enable_thinking = value.get<bool>();
    } else if (name == "bos_token") {
      input.bos_token = value.get<std::string>();
    } else if (name == "eos_token") {
      input.eos_token = value.get<std::string>();
    } else {
      input.extra[name] = value;
    }
  }
  return input;
}

inline std::string text_of(const std::vector<JinjaRun>& runs) {
  std::string text;
  for (const JinjaRun& run : runs) text += run.text;
  return text;
}

/// The text of runs, with brackets around those for which `chosen` holds; neighbours share brackets.
inline std::string marked(const std::vector<JinjaRun>& runs, const std::function<bool(const JinjaRun&)>& chosen) {
  std::string text;
  bool open = false;
  for (const JinjaRun& run : runs) {
    if (chosen(run) != open) text += open ? "⟧" : "⟦";
    open = chosen(run);
    text += run.text;
  }
  return open ? text + "⟧" : text;
}

inline std::vector<OrderedJson> read_json_lines(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<OrderedJson> values;
  for (std::string line; std::getline(lines, line);) values.push_back(OrderedJson::parse(line));
  return values;
}

}  // namespace tinyllm::test
