#include <tinyllm/model/load.h>

#include <tinyllm/model/text/jinja_chat_template.h>

namespace tinyllm {
namespace {

class NoChatTemplate final : public ChatTemplate {
 public:
  explicit NoChatTemplate(std::string where) : where_(std::move(where)) {}
  std::vector<Piece> render(const Messages&, const RenderOptions&) const override {
    throw Error("{}: the model has no chat template: it continues texts, but does not hold conversations", where_);
  }

 private:
  std::string where_;
};

void limit_context(ModelConfig& config, int64_t context) {
  if (context == 0) return;
  if (context < 0 || context > config.context) {
    throw Error("a context of {} tokens, expected 1 to the model's {}", context, config.context);
  }
  config.context = context;
}

}  // namespace

void check_fit(const ModelConfig& config, const Tokenizer& tokenizer, int64_t tensors,
               const std::filesystem::path& where) {
  if (tokenizer.size() > config.vocab_size) {
    throw Error("{}: the tokenizer has {} tokens, expected at most the vocab_size, {}", where.string(),
                tokenizer.size(), config.vocab_size);
  }
  if (config.n_layers > tensors) {
    throw Error("{}: holds {} tensors, too few for {} layers", where.string(), tensors, config.n_layers);
  }
}

Model load_parts(ModelConfig config, ModelText text, const WeightReader& reader, const LoadOptions& options) {
  limit_context(config, options.context);
  config.types = options.type ? weight_types(*options.type) : types_of(reader, config);
  check(config);
  Model model{.config = config, .tokenizer = std::move(text.tokenizer), .chat_template = std::move(text.chat_template)};
  ThreadPool pool = given_or_new(options.pool);
  load_weights(reader, weight_specs(config), pool, *model.weights, options.on_progress);
  return model;
}

std::shared_ptr<const ChatTemplate> template_of(const ModelFiles& files) {
  if (auto found = load_jinja_chat_template(files)) return std::make_shared<JinjaChatTemplate>(*std::move(found));
  return std::make_shared<NoChatTemplate>(files.where().string());
}

}  // namespace tinyllm
