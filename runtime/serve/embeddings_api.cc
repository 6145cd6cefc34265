// POST /v1/embeddings: the mean of a text's hidden states after the last norm, with length 1. Source of the form:
// OpenAI API reference, "Embeddings".
#include <tinyllm/runtime/serve/answer_reply.h>
#include <tinyllm/runtime/serve/json_text.h>
#include <tinyllm/runtime/serve/log_probs_json.h>
#include <tinyllm/runtime/serve/prompts.h>
#include <tinyllm/runtime/serve/service.h>

#include <bit>
#include <cstring>

namespace tinyllm {
namespace {

// Of float32 numbers, the lowest byte first.
std::string base64(const std::vector<float>& numbers) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> bytes(numbers.size() * sizeof(float));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j) word = word << 8 | (j < count ? bytes[i + j] : 0u);
    for (size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[word >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

class EmbeddingsReply final : public JobListener, public std::enable_shared_from_this<EmbeddingsReply> {
 public:
  EmbeddingsReply(Service& service, std::shared_ptr<Call> call, const Engine& engine, size_t count, bool is_base64)
      : service_(service), call_(std::move(call)), engine_(engine), ends_(count), left_(count), is_base64_(is_base64) {}

  void refused(const ApiError& error) override { call_->send_error(error); }
  void on_part(AnswerPart&&) override {}
  void broke(const std::string& error) override { fail(ApiError(500, "internal_error", "", "{}", error)); }
  void on_end(AnswerEnd&& end) override {
    if (has_failed_) return;
    if (end.reason == AnswerEnd::Reason::failed) return fail(error_of(end));
    ends_[end.choice] = std::move(end);
    if (--left_ == 0 && !call_->is_gone()) send_whole();
  }

 private:
  void send_whole() {
    int64_t numbers = 0;
    for (const AnswerEnd& end : ends_) numbers += std::ssize(end.embedding);
    if (numbers <= kLongReply) return call_->send_json(whole());
    send_long_json(service_, call_, shared_from_this(), [self = shared_from_this()] { return self->whole(); });
  }

  void fail(const ApiError& error) {
    if (!std::exchange(has_failed_, true)) call_->send_error(error);
  }

  std::string whole() const {
    OrderedJson json = {{"object", "list"}, {"data", OrderedJson::array()}, {"model", engine_.name}};
    int64_t tokens = 0;
    for (const AnswerEnd& end : ends_) {
      json["data"].push_back(
          {{"object", "embedding"},
           {"index", end.choice},
           {"embedding", is_base64_ ? OrderedJson(base64(end.embedding)) : OrderedJson(end.embedding)}});
      tokens += end.prompt_tokens;
    }
    json["usage"] = {{"prompt_tokens", tokens}, {"total_tokens", tokens}};
    return text_of(json);
  }

  Service& service_;
  std::shared_ptr<Call> call_;
  const Engine& engine_;
  std::vector<AnswerEnd> ends_;
  size_t left_;
  const bool is_base64_;
  bool has_failed_ = false;
};

}  // namespace

void answer_embeddings(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kEmbeddings, call->request.body);
  const size_t model = service.model_of(fields.text("model"));
  const Engine& engine = service.engine(model);
  const std::string format = fields.text("encoding_format");
  if (format != "float" && format != "base64") {
    throw ApiError(400, "invalid_value", "encoding_format", "encoding_format: {}, expected float or base64",
                   shortened(format));
  }
  Job job;
  job.model = model;
  job.wants_embedding = true;
  for (TextPrompt& prompt : read_prompts(fields.need("input"), "input", engine)) {
    job.choices.push_back({std::move(prompt.tokens), 0, ""});
  }
  set_max_tokens(job, 0, engine, "input", true);
  job.listener = std::make_shared<EmbeddingsReply>(service, call, engine, job.choices.size(), format == "base64");
  service.submit(call, std::move(job));
}

}  // namespace tinyllm
