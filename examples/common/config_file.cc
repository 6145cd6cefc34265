#include "config_file.h"

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include "options.h"

#include <set>
#include <sstream>

namespace tinyllm::cli {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;

std::string read_text(std::istream& stream, const std::string& file) {
  std::string text(kMaxBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kMaxBytes) throw CLI::ConfigError(fmt::format("{}: larger than 1 MB, expected options", file));
  const size_t valid = valid_utf8(text);
  const auto is_control = [](char c) {
    return (c >= 0 && c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
  };
  const auto bad = std::find_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(valid), is_control);
  if (bad != text.end()) {
    const auto line = 1 + std::count(text.begin(), bad, '\n');
    throw CLI::ConfigError(fmt::format("{}: line {}: not text, expected options", file, line));
  }
  return text;
}

// " line 3:", the last line that sets a key or begins a section; empty if there is none.
std::string line_of(const std::string& text, const std::string& key) {
  constexpr const char* kBlanks = " \t\r";
  std::istringstream lines(text);
  size_t number = 0, found = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line.erase(0, line.find_first_not_of(kBlanks));
    if (!line.starts_with(key)) continue;
    const size_t next = line.find_first_not_of(kBlanks, key.size());
    if (next == std::string::npos || line[next] == '=') found = number;
  }
  return found == 0 ? "" : fmt::format(" line {}:", found);
}

}  // namespace

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& stream) const {
  const std::string file = app_->get_config_ptr()->as<std::string>();
  const std::string text = read_text(stream, file);
  std::istringstream lines(text);
  std::vector<CLI::ConfigItem> found;
  try {
    found = CLI::ConfigTOML::from_config(lines);
  } catch (const std::logic_error&) {  // CLI11 reads past the end of some invalid lines.
    throw CLI::ConfigError(fmt::format("{}: not a list of options such as steps=100", file));
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : app_->get_options()) {
    if (!option->get_configurable()) continue;
    for (const std::string& name : option->get_lnames()) known.push_back(name);
  }
  // CLI11 joins the values of a key that is repeated on consecutive lines.
  const auto is_repeated = [&](const CLI::ConfigItem& item) {
    return item.inputs.size() > 1 && app_->get_option("--" + item.name)->get_items_expected_max() == 1;
  };
  std::set<std::string> seen;
  std::string problems;
  for (const CLI::ConfigItem& item : found) {
    constexpr size_t kShown = 60;
    if (item.name == "--") continue;  // The end of a section.
    const std::string key = item.name == "++" ? fmt::format("[{}]", fmt::join(item.parents, ".")) : item.fullname();
    const std::string shown = key.size() <= kShown ? key : key.substr(0, character_cut(key, kShown)) + "...";
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      problems += fmt::format("{}:{} {}: unknown option{}\n", file, line_of(text, key), shown, suggestion(key, known));
    } else if (!seen.insert(key).second || is_repeated(item)) {
      problems += fmt::format("{}:{} {}: given twice\n", file, line_of(text, key), shown);
    }
  }
  if (!problems.empty()) {
    problems.pop_back();
    throw CLI::ConfigError(problems);
  }
  return found;
}

}  // namespace tinyllm::cli
