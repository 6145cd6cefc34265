#include "help.h"

#include <fmt/format.h>

namespace tinyllm::cli {
namespace {

constexpr size_t kWidth = 100;  // Of a line, in bytes.
constexpr size_t kIndent = 26;  // Where descriptions begin.

// Breaks lines at blanks so that each has at most `width` bytes, as far as the words allow.
std::string wrapped(std::string_view text, size_t width) {
  std::string result;
  while (text.size() > width) {
    const size_t line_end = text.find('\n');
    size_t end = line_end;
    if (line_end > width) {
      end = text.rfind(' ', width);
      if (end == std::string_view::npos || end == 0) end = text.find_first_of(" \n", 1);
      if (end == std::string_view::npos) break;
    }
    result += text.substr(0, end);
    result += '\n';
    text.remove_prefix(end + 1);
  }
  return result += text;
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kIndent);
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_positionals(const CLI::App* app) const {
  const auto options =
      app->get_options([](const CLI::Option* option) { return option->get_positional() && !option->nonpositional(); });
  return options.empty() ? "" : make_group(get_label("Positionals"), true, options);
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  const std::string argument = option->get_name(true, false);
  std::string names = option->get_name(false, true);
  // CLI11 writes this after a flag that sets its variable to false.
  constexpr std::string_view kNegated = "{false}";
  if (names.ends_with(kNegated)) names.resize(names.size() - kNegated.size());
  if (is_positional) return argument;
  return option->get_positional() ? argument + ", " + names : names;
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return wrapped(app->get_description(), kWidth) + "\n\n";
}

std::string HelpFormatter::make_option_usage(const CLI::Option* option) const {
  const std::string name = option->get_name(true, false) + (option->get_expected_max() > 1 ? "..." : "");
  return option->get_required() ? name : "[" + name + "]";
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_name().empty()) return "";
  return fmt::format(" {}{}", option->get_type_name(),
                     option->get_expected_max() == CLI::detail::expected_max_vector_size ? " ..." : "");
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  if (option->get_required()) text += " Required.";
  for (const CLI::Option* other : option->get_needs()) text += fmt::format(" Needs {}.", other->get_name());
  for (const CLI::Option* other : option->get_excludes()) text += fmt::format(" Not with {}.", other->get_name());
  text = wrapped(text, kWidth - kIndent);
  std::string initial = option->get_default_str();
  if (initial.starts_with('[') && initial.ends_with(']')) initial = initial.substr(1, initial.size() - 2);  // A list.
  if (option->get_type_size() == 0 || initial.empty()) return text;
  const std::string note = fmt::format("[default: {}]", initial);
  const size_t last_line = text.size() - (text.rfind('\n') + 1);
  return text + (last_line + 1 + note.size() > kWidth - kIndent ? '\n' : ' ') + note;
}

}  // namespace tinyllm::cli
