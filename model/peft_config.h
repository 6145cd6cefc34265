#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/text/regex/regex.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// Which modules a list of names, or a regular expression, means. A name means every module that is it or ends with a
/// dot and it; an expression those that it matches as a whole.
class ModuleNames {
 public:
  ModuleNames() = default;
  explicit ModuleNames(std::vector<std::string> names) : names_(std::move(names)) {}
  static ModuleNames matching(std::string_view pattern);
  static ModuleNames all();

  bool contains(std::string_view module) const;

 private:
  std::vector<std::string> names_;
  std::optional<Regex> pattern_;
  bool all_ = false;
};

/// What `adapter_config.json` of PEFT says about adapters of low rank.
struct PeftConfig {
  std::string base = {};  ///< `base_model_name_or_path`; empty: it says none.
  int64_t rank = 8;
  float alpha = 8;
  bool rslora = false;
  ModuleNames targets = {};
  ModuleNames excluded = {};
  std::optional<std::vector<int64_t>> layers = {};  ///< Only these, counted from 0.
  std::vector<std::pair<ModuleNames, int64_t>> ranks = {};
  std::vector<std::pair<ModuleNames, float>> alphas = {};
  std::vector<std::string> saved = {};  ///< `modules_to_save`: ends of names.
  bool keeps_tied = false;              ///< Head and embeddings stay one table, though one of them is saved.

  /// Of "model.layers.0.self_attn.q_proj". Throws Error when two patterns mean one module.
  Lora::Size size_of(const std::string& module) const;
  bool saves(std::string_view module) const;
};

/// Reads the file. Throws Error that names it and the field when it is not such a file, is of another kind of adapter,
/// or has a setting that would change the results and is not supported: DoRA, biases, repeated layers and others.
PeftConfig load_peft_config(const std::filesystem::path& path);

}  // namespace tinyllm
