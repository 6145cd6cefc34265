#pragma once

#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/model/text/model_files.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A template's input besides the messages.
struct JinjaSettings {
  std::vector<std::string> special_tokens = {};  ///< The texts that are special tokens.
  std::string bos_token = {};
  std::string eos_token = {};

  std::optional<bool> enable_thinking = std::nullopt;  ///< Empty: the template's default.
  std::string tools = {};                              ///< A JSON list; empty: none.
  std::string arguments = {};                          ///< More variables, a JSON object; empty: none.
};

/// The Jinja chat template of a model from elsewhere. Only text of the template itself can become a special token: a
/// marker in a message or a tool stays text. An answer is learned from the end of its prompt up to its end token. A
/// prompt contains nothing that is learned. The arguments of tool calls may be an object, or its JSON as a string.
class JinjaChatTemplate final : public ChatTemplate {
 public:
  /// The source may come from a stranger. Throws Error that names the line if the source is wrong or not supported, and
  /// Error if the settings are not JSON.
  JinjaChatTemplate(std::string_view source, JinjaSettings settings);

  const JinjaSettings& settings() const;
  /// The same template for a request with other settings.
  JinjaChatTemplate with(JinjaSettings settings) const;

  /// Also throws Error when the template refuses the messages or takes too many steps.
  std::vector<Piece> render(const Messages& messages, const RenderOptions& options) const override;

 private:
  struct Source;
  struct Input;
  JinjaChatTemplate(std::shared_ptr<const Source> source, JinjaSettings settings);

  std::shared_ptr<const Source> source_;
  std::shared_ptr<const Input> input_;
};

/// The template of a model: `chat_template.jinja`, else the one in `tokenizer_config.json` (of several, the one named
/// "default"). Special tokens are those that this file or `tokenizer.json` names. Returns nothing if there is no
/// template. Throws Error that names the file.
std::optional<JinjaChatTemplate> load_jinja_chat_template(const ModelFiles& files);

}  // namespace tinyllm
