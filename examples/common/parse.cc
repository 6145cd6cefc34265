#include "parse.h"

#include <tinyllm/tensor/base/file.h>

#include "config_file.h"
#include "help.h"

#include <fstream>
#include <memory>

namespace tinyllm::cli {
namespace {

// Checks the values of an option. Returns the problem; empty if there is none. `is_read`: CLI11 has accepted the
// values.
std::string problem_with(const CLI::App& app, CLI::Option& option, bool is_read) {
  const std::string name = option.get_name();
  for (const std::string& value : option.results()) {
    // CLI11 takes the next word as the value, whatever it is.
    if (value.starts_with("--") && app.get_option_no_throw(value) != nullptr) {
      return fmt::format("{}: expected a value, found {}", name, value);
    }
  }
  if (is_read) return "";
  if (option.get_multi_option_policy() == CLI::MultiOptionPolicy::Throw && option.get_items_expected_max() == 1 &&
      option.count() > 1) {
    return fmt::format("{}: given {} times, expected once", name, option.count());
  }
  try {
    option.run_callback();
  } catch (const CLI::ConversionError& error) {
    if (!std::string_view(error.what()).starts_with("Could not convert")) return error.what();
    return fmt::format("{}: {}, expected {}", name, fmt::join(option.results(), " "), option.get_type_name());
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "";
}

// All problems of a command line, one per line.
class Problems {
 public:
  // `first`: the problem that CLI11 stopped at, or null.
  Problems(CLI::App& app, const CLI::ParseError* first) {
    add_unknown_words(app);
    const bool config_is_bad = first != nullptr && add_config_problem(app, *first);
    // Thrown when the command line ends where a value is expected.
    const bool lacks_value = dynamic_cast<const CLI::ArgumentMismatch*>(first) != nullptr &&
                             std::string_view(first->what()).ends_with("missing");
    const std::string last =
        lacks_value ? std::string(first->what()).substr(0, std::string(first->what()).find(':')) : "";
    if (lacks_value) add(last + ": expected a value, found the end of the command line");
    for (CLI::Option* option : app.get_options()) {
      const std::string name = option->get_name();
      if (option->count() > 0) {
        add(problem_with(app, *option, first == nullptr));
        add_conflicts(*option);
      } else if (option->get_required() && !config_is_bad && name != last && !is_meant(name)) {
        add(name + ": missing");
      }
    }
    if (text_.empty() && first != nullptr) add(first->what());
  }

  const std::string& text() const { return text_; }

 private:
  void add(const std::string& problem) {
    if (!text_.empty() && !problem.empty()) text_ += '\n';
    text_ += problem;
  }

  bool is_meant(const std::string& name) const { return std::find(meant_.begin(), meant_.end(), name) != meant_.end(); }

  void add_unknown_words(const CLI::App& app) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      known.insert(known.end(), option->get_lnames().begin(), option->get_lnames().end());
    }
    std::string unexpected;
    for (const std::string& word : app.remaining()) {
      if (word.starts_with('-') && word != "--") {
        const std::string name = word.substr(0, word.find('='));
        const std::string meant = closest(name.substr(name.find_first_not_of('-')), known);
        meant_.push_back("--" + meant);
        add(fmt::format("{}: unknown option{}", name, meant.empty() ? "" : fmt::format("; did you mean --{}?", meant)));
      } else if (word != "--" && unexpected.empty()) {
        unexpected = word;
      }
    }
    // After an unknown option, a lone word is probably its value.
    if (text_.empty() && !unexpected.empty()) add(unexpected + ": unexpected argument");
  }

  // Whether the problem is in the file of `--config`. Options that seem to be missing may be in that file.
  bool add_config_problem(const CLI::App& app, const CLI::ParseError& first) {
    if (dynamic_cast<const CLI::ConfigError*>(&first) != nullptr) {
      add(first.what());
      return true;
    }
    const CLI::Option* config = app.get_config_ptr();
    if (config == nullptr || config->count() != 1) return false;
    const std::string file = config->as<std::string>();
    if (std::ifstream(file).good() && !is_folder(file)) return false;
    add(fmt::format("{}: {} cannot be read, expected a file of options", config->get_name(), file));
    return true;
  }

  void add_conflicts(const CLI::Option& option) {
    for (const CLI::Option* other : option.get_needs()) {
      if (other->count() == 0) add(fmt::format("{}: needs {}", option.get_name(), other->get_name()));
    }
    for (const CLI::Option* other : option.get_excludes()) {
      // The other option excludes this one too: report the pair once.
      if (other->count() > 0 && option.get_name() < other->get_name()) {
        add(fmt::format("{}: not possible with {}", option.get_name(), other->get_name()));
      }
    }
  }

  std::string text_;
  std::vector<std::string> meant_;  // Options that unknown words probably stand for.
};

}  // namespace

void parse(CLI::App& app, int argc, const char* const* argv) {
  const std::string name = program_name(argv);
  app.name("tinyllm " + name);
  app.set_help_flag("-h,--help", "Print this help and exit.");
  app.set_version_flag("--version", fmt::format("tinyllm {} {}", name, TINYLLM_VERSION), "Print the version and exit.");
  app.formatter(std::make_shared<HelpFormatter>());
  app.config_formatter(std::make_shared<ConfigFile>(app));
  app.allow_extras();
  std::string problems;
  try {
    app.parse(argc, argv);
    problems = Problems(app, nullptr).text();
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    throw Exit{0};
  } catch (const CLI::ParseError& error) {
    if (app.get_help_ptr()->count() > 0) {
      fmt::print("{}", app.help());
      throw Exit{0};
    }
    problems = Problems(app, &error).text();
  }
  if (!problems.empty()) throw UsageError("{}", problems);
}

void add_examples(CLI::App& app, const std::vector<std::string>& examples, const std::string& next) {
  std::string text = "Examples:\n";
  for (const std::string& example : examples) text += fmt::format("  tinyllm {}\n", example);
  app.footer(text + "Next:\n  tinyllm " + next);
}

}  // namespace tinyllm::cli
