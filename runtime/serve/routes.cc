#include <tinyllm/runtime/serve/routes.h>

namespace tinyllm {
namespace {

constexpr ErrorStyle kOpenai = ErrorStyle::openai, kAnthropic = ErrorStyle::anthropic;

const Route kRoutes[] = {
    {"POST", "/v1/chat/completions", answer_chat, kChat, kOpenai, "Answer a conversation."},
    {"POST", "/v1/completions", answer_completion, kCompletions, kOpenai, "Continue a text, or score it."},
    {"POST", "/v1/embeddings", answer_embeddings, kEmbeddings, kOpenai, "Turn texts into vectors."},
    {"POST", "/v1/responses", answer_response, kResponses, kOpenai, "Answer in the form of Responses; stateless."},
    {"POST", "/v1/messages", answer_messages, kMessages, kAnthropic, "Answer in the form of Anthropic's Messages."},
    {"GET", "/v1/models", answer_models, 0, kOpenai, "List the models."},
    {"GET", "/v1/models/", answer_model, 0, kOpenai, "Describe a model."},
    {"POST", "/tokenize", answer_tokenize, kTokenize, kOpenai, "Turn a text into tokens."},
    {"POST", "/detokenize", answer_detokenize, kDetokenize, kOpenai, "Turn tokens into a text."},
    {"GET", "/openapi.json", answer_openapi, 0, kOpenai, "This document."},
};

}  // namespace

std::span<const Route> all_routes() { return kRoutes; }

const Route* route_of(std::string_view method, std::string_view path, bool& method_fits) {
  const Route* found = nullptr;
  method_fits = false;
  for (const Route& route : kRoutes) {
    const std::string_view own = route.path;
    const bool fits = own.ends_with('/') ? path.starts_with(own) && path.size() > own.size() : path == own;
    if (!fits) continue;
    found = &route;
    method_fits = method == route.method || (method == "HEAD" && std::string_view(route.method) == "GET");
    if (method_fits) return found;
  }
  return found;
}

}  // namespace tinyllm
