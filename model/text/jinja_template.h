// Chat templates of other people's models. Only for sources that may include nlohmann/json.
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

/// What a chat template renders. JSON is ordered, since a template prints objects as they came.
struct JinjaInput {
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();  ///< Objects with `role`, `content` and so on.
  bool add_generation_prompt = false;
  std::optional<bool> enable_thinking = std::nullopt;  ///< Undefined in the template when there is none.
  nlohmann::ordered_json tools = nullptr;              ///< A list of objects, or null.
  std::string bos_token = {};
  std::string eos_token = {};
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();  ///< Further names, with their values.
  std::optional<std::tm> now = std::nullopt;  ///< What strftime_now prints; the local time when there is none.
};

/// Characters of one origin in a rendered conversation.
struct JinjaRun {
  std::string text;
  /// Whether it came from a message, a tool or another value of the input: it spells no special token. The tokens for
  /// beginning and end are the template's own, as are the usual names of roles.
  bool from_message;
  bool learned;  ///< Whether the assistant says it, end token included.
  int message;   ///< The index of the message that it came from, or that it ends if it is learned; else -1.
};

/// A chat template in Jinja, as transformers sets it up: trim_blocks and lstrip_blocks are on, and there are
/// raise_exception, strftime_now, `tojson` as Python writes JSON, `break` and `continue`, and `generation` blocks.
/// Other templates cannot be included, and lists cannot be changed. The template may come from a stranger: its size,
/// depth, steps and output are limited. Const methods may be called from several threads at once.
class JinjaTemplate {
 public:
  static constexpr size_t kMaxSourceBytes = size_t{1} << 20;
  /// Of one rendering, with those that find out what is learned.
  static constexpr size_t kMaxSteps = 5'000'000;

  /// Throws Error that begins with "chat template" and names the line and what is wrong or not supported.
  explicit JinjaTemplate(std::string_view source);
  ~JinjaTemplate();
  JinjaTemplate(JinjaTemplate&&) noexcept;
  JinjaTemplate& operator=(JinjaTemplate&&) noexcept;

  /// Throws Error, also when the template refuses the messages with raise_exception. With `find_learned`, what is
  /// learned are the template's `generation` blocks. Where it has none, beginnings of the conversation are rendered to
  /// find where each answer begins and ends; without `find_learned`, nothing is learned.
  std::vector<JinjaRun> render(const JinjaInput& input, bool find_learned = false) const;

 private:
  struct Parsed;
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace tinyllm
