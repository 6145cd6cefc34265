#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/text/regex/regex.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// A set of modules, given as a list of names or as a regular expression. A name selects the module of that name and
/// every module whose path ends with a dot and the name. An expression selects the modules that it matches as a whole.
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

/// The settings of low-rank adapters in PEFT's `adapter_config.json`.
struct PeftConfig {
  std::string base = {};  ///< `base_model_name_or_path`; empty: none.
  int64_t rank = 8;
  float alpha = 8;
  bool rslora = false;
  ModuleNames targets = {};
  ModuleNames excluded = {};
  std::optional<std::vector<int64_t>> layers = {};  ///< Only these layers, counted from 0; empty: all.
  std::vector<std::pair<ModuleNames, int64_t>> ranks = {};
  std::vector<std::pair<ModuleNames, float>> alphas = {};
  std::vector<std::string> saved = {};  ///< `modules_to_save`: the last parts of module names.
  bool keeps_tied = false;              ///< Head and embeddings stay tied, though one of them is saved.

  /// The adapter of a module, e.g. "model.layers.0.self_attn.q_proj". Throws Error when two patterns match it.
  Lora::Size size_of(const std::string& module) const;
  bool saves(std::string_view module) const;
};

/// Reads the file. Throws Error that names the file and the field when it is not such a file, describes another kind of
/// adapter, or has a setting that changes the results and is not supported: DoRA, biases, repeated layers and others.
PeftConfig load_peft_config(const std::filesystem::path& path);

}  // namespace tinyllm
