// Jinja chat templates of models from elsewhere. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/tensor/base/error.h>

#include <nlohmann/json.hpp>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The input of a chat template. JSON is ordered because a template prints the fields of objects in their order.
struct JinjaInput {
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();  ///< Objects with `role`, `content` and so on.
  bool add_generation_prompt = false;
  std::optional<bool> enable_thinking = std::nullopt;  ///< Empty: undefined in the template.
  nlohmann::ordered_json tools = nullptr;              ///< A list of objects, or null.
  std::string bos_token = {};
  std::string eos_token = {};
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();  ///< More variables.
  std::optional<std::tm> now = std::nullopt;  ///< The time for strftime_now; empty: the local time.
};

/// A run of characters with the same origin in a rendered conversation.
struct JinjaRun {
  std::string text;
  /// Whether the text came from a message, a tool or another value of the input, so that it must not become a special
  /// token. `bos_token`, `eos_token` and the usual names of roles count as the template's own text.
  bool from_message;
  bool learned;  ///< Whether the assistant says it, end token included.
  int message;   ///< The message that it came from or, if learned, whose answer it belongs to; else -1.
};

/// A Jinja chat template with the settings of transformers: trim_blocks and lstrip_blocks are on. It can use
/// raise_exception, strftime_now, `tojson` in Python's style, `break`, `continue` and `generation` blocks. It cannot
/// include other templates or change lists. The template may come from a stranger, so its size, depth, steps and output
/// are limited. Const methods may be called from several threads at once.
class JinjaTemplate {
 public:
  static constexpr size_t kMaxSourceBytes = size_t{1} << 20;
  /// The limit for one call of `render`, including the extra renderings that find what is learned.
  static constexpr size_t kMaxSteps = 5'000'000;

  /// Throws Error that begins with "chat template" and names the line and what is wrong or not supported.
  explicit JinjaTemplate(std::string_view source);
  ~JinjaTemplate();
  JinjaTemplate(JinjaTemplate&&) noexcept;
  JinjaTemplate& operator=(JinjaTemplate&&) noexcept;

  /// Throws Error, also when the template calls raise_exception. With `find_learned`, the template's `generation`
  /// blocks are learned. If it has none, shorter conversations are rendered too, to find where each answer begins and
  /// ends. Without `find_learned`, nothing is learned.
  std::vector<JinjaRun> render(const JinjaInput& input, bool find_learned = false) const;

 private:
  struct Parsed;
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace tinyllm
