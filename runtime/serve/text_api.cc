// POST /tokenize and /detokenize, GET /v1/models.
#include <tinyllm/runtime/serve/json_text.h>
#include <tinyllm/runtime/serve/prompts.h>
#include <tinyllm/runtime/serve/service.h>
#include <tinyllm/runtime/text_stream.h>

namespace tinyllm {
namespace {

// Takes the names of special tokens in a text for these tokens.
std::vector<int32_t> encode_with_specials(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> tokens;
  const auto add_text = [&](std::string_view part) {
    const std::vector<int32_t> more = tokenizer.encode(part);
    tokens.insert(tokens.end(), more.begin(), more.end());
  };
  size_t begin = 0;
  constexpr size_t kMaxName = 64;
  for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const size_t end = text.substr(0, at + kMaxName).find('>', at);
    if (end == std::string_view::npos) continue;
    const std::optional<int32_t> special = tokenizer.special(text.substr(at, end + 1 - at));
    if (!special) continue;
    add_text(text.substr(begin, at - begin));
    tokens.push_back(*special);
    begin = end + 1;
    at = end;
  }
  add_text(text.substr(begin));
  return tokens;
}

OrderedJson model_json(const Engine& engine) {
  return {{"id", engine.name},
          {"object", "model"},
          {"created", engine.created},
          {"owned_by", "tinyllm"},
          {"max_model_len", engine.context},
          {"system_fingerprint", engine.fingerprint}};
}

}  // namespace

void send_json(Service& service, const std::shared_ptr<Call>& call, std::string body) {
  service.post([call, body = std::move(body)] { call->send_json(body); });
}

void send_long_json(Service& service, const std::shared_ptr<Call>& call, std::shared_ptr<JobListener> reply,
                    std::function<std::string()> write) {
  service.work(*call, [&service, call, reply = std::move(reply), write = std::move(write)] {
    try {
      send_json(service, call, write());
    } catch (const std::exception& error) {
      service.post([reply, what = std::string(error.what())] { reply->broke(what); });
    }
  });
}

void answer_tokenize(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kTokenize, call->request.body);
  const Engine& engine = service.engine(service.model_of(fields.text("model")));
  const Tokenizer& tokenizer = *engine.model.tokenizer;
  const std::string text = fields.text("content");
  check_size(text, "content", engine);
  std::vector<int32_t> tokens;
  if (fields.flag("add_special")) tokens = begin_tokens(engine.model);
  const auto more = fields.flag("special") ? encode_with_specials(tokenizer, text) : tokenizer.encode(text);
  tokens.insert(tokens.end(), more.begin(), more.end());
  OrderedJson json = {{"tokens", tokens}, {"count", tokens.size()}, {"max_model_len", engine.context}};
  if (fields.flag("with_pieces")) {
    json["pieces"] = OrderedJson::array();
    for (const int32_t token : tokens) json["pieces"].push_back(replace_broken_characters(tokenizer.piece(token)));
  }
  send_json(service, call, text_of(json));
}

void answer_detokenize(Service& service, const std::shared_ptr<Call>& call) {
  const Fields fields(kDetokenize, call->request.body);
  const Engine& engine = service.engine(service.model_of(fields.text("model")));
  const std::vector<int32_t> tokens = read_tokens(fields.need("tokens"), "tokens", engine);
  send_json(service, call,
            text_of(OrderedJson{{"content", replace_broken_characters(engine.model.tokenizer->decode(tokens))}}));
}

void answer_models(Service& service, const std::shared_ptr<Call>& call) {
  OrderedJson json = {{"object", "list"}, {"data", OrderedJson::array()}};
  for (size_t i = 0; i < service.models(); ++i) json["data"].push_back(model_json(service.engine(i)));
  send_json(service, call, text_of(json));
}

void answer_model(Service& service, const std::shared_ptr<Call>& call) {
  constexpr std::string_view kPath = "/v1/models/";
  const Engine& engine = service.engine(service.model_of(call->request.path.substr(kPath.size())));
  send_json(service, call, text_of(model_json(engine)));
}

}  // namespace tinyllm
