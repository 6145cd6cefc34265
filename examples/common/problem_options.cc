#include "problem_options.h"

#include <fmt/ranges.h>

namespace tinyllm::cli {
namespace {

// An option that takes some of several names. Their values are the defaults.
CLI::Option* add_names(CLI::App& app, const std::string& option, std::vector<std::string>& value,
                       const std::vector<std::string>& known, const char* type, const std::string& description) {
  return app.add_option(option, value, description)
      ->check([known](const std::string& given) { return problem_with_choice(given, known); })
      ->type_name(type)
      ->default_str(fmt::format("{}", fmt::join(value, " ")));
}

}  // namespace

std::vector<CLI::Option*> add_problem_options(CLI::App& app, ProblemOptions& o) {
  const std::vector<std::string> kinds = problems::kind_names();
  return {add_names(app, "--level", o.levels, {"1", "2", "3"}, "{1,2,3}",
                    "Make problems of these levels: 1 to 3 steps, two problems in one with longer numbers, or three to "
                    "four."),
          add_names(app, "--kinds", o.kinds, kinds, "KIND",
                    fmt::format("Make problems of these kinds{}: {}.", o.kinds.empty() ? " instead of all" : "",
                                fmt::join(kinds, ", "))),
          add_names(app, "--language", o.languages, {"chinese", "english"}, "{chinese,english}",
                    "Make problems in these languages.")};
}

std::vector<problems::Wanted> wanted_by(const ProblemOptions& o, problems::Split split) {
  std::vector<problems::Wanted> all;
  for (const std::string& kind : o.kinds.empty() ? problems::kind_names() : o.kinds) {
    for (const std::string& level : o.levels) {
      if (!problems::has_split(kind, level[0] - '0', split)) continue;
      for (const std::string& language : o.languages) {
        all.push_back({kind, level[0] - '0', *parse_name<problems::Language>(language), split});
      }
    }
  }
  if (all.empty()) {
    throw UsageError("--kinds: {} of level {}: none has problems for --split {}", fmt::join(o.kinds, ", "),
                     fmt::join(o.levels, ", "), name_of(split));
  }
  return all;
}

}  // namespace tinyllm::cli
