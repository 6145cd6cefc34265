#pragma once

#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/model/text/model_files.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// What a template needs to know besides the messages.
struct JinjaSettings {
  std::vector<std::string> special_tokens = {};  ///< Which texts of the template are special tokens.
  std::string bos_token = {};
  std::string eos_token = {};

  std::optional<bool> enable_thinking = std::nullopt;  ///< As the model's authors chose when there is none.
  std::string tools = {};                              ///< A list in JSON; empty: none.
  std::string arguments = {};                          ///< Values of further names, an object in JSON; empty: none.
};

/// The chat template of another people's model, in Jinja. Only text of the template becomes a special token: a marker
/// in a message, or in a tool, stays text. An answer is learned from where the prompt for it ends, with its end token;
/// a prompt has nothing that is learned. The arguments of tool calls may be an object, or its JSON as a string.
class JinjaChatTemplate final : public ChatTemplate {
 public:
  /// The source may come from a stranger. Throws Error that names the line where it is wrong or not supported, and
  /// where the settings are not JSON.
  JinjaChatTemplate(std::string_view source, JinjaSettings settings);

  const JinjaSettings& settings() const;
  /// The same template for a request with other settings.
  JinjaChatTemplate with(JinjaSettings settings) const;

  /// Throws Error also when the template refuses the messages, or takes too many steps.
  std::vector<Piece> render(const Messages& messages, const RenderOptions& options) const override;

 private:
  struct Source;
  struct Input;
  JinjaChatTemplate(std::shared_ptr<const Source> source, JinjaSettings settings);

  std::shared_ptr<const Source> source_;
  std::shared_ptr<const Input> input_;
};

/// The template of a model: `chat_template.jinja`, else the one in `tokenizer_config.json` (of several, the one
/// with the name "default"), with the special tokens named there or in `tokenizer.json`. None when there is no
/// template. Throws Error that names the file.
std::optional<JinjaChatTemplate> load_jinja_chat_template(const ModelFiles& files);

}  // namespace tinyllm
