#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace tinyllm::cli {

/// The text of `--help`: descriptions wrapped to a fixed width, each followed by the default. An option that can also
/// be given as an argument is listed once, among the options.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_description(const CLI::App* app) const override;
  std::string make_positionals(const CLI::App* app) const override;
  std::string make_option_usage(const CLI::Option* option) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace tinyllm::cli
