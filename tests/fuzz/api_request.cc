// The body of a request to the server, of any endpoint: the first byte says which.
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/fields.h>
#include <tinyllm/runtime/serve/wire_items.h>
#include <tinyllm/runtime/serve/wire_tools.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

namespace tinyllm::test {
namespace {

Messages messages_of(const Fields& fields, Endpoint endpoint) {
  if (endpoint == kChat) return wire_messages(fields.need("messages"), "messages");
  if (endpoint == kMessages) return in_order(block_messages(fields.need("messages"), "messages"), "messages");
  if (endpoint == kResponses) return in_order(response_items(fields.need("input"), "input"), "input");
  return {};
}

void read(Endpoint endpoint, std::string_view body) {
  try {
    const Fields fields(endpoint, body);
    const Messages messages = messages_of(fields, endpoint);
    for (size_t i = 0; i < messages.size(); ++i) require(messages[i].role != Role::system || i == 0);
    if (const Json* vote = endpoint == kChat ? fields.find("self_consistency") : nullptr) {
      require(Fields(kSelfConsistency, *vote, "self_consistency").whole("samples") > 0);
    }
    if (endpoint != kChat && endpoint != kMessages && endpoint != kResponses) return;
    const WireTools tools = read_tools(fields, endpoint, body);
    require(tools.callable.empty() || !tools.shown.empty());
  } catch (const ApiError& error) {
    require(error.status() == 400);
    require(valid_utf8(error.body()) == error.body().size());
  }
}

}  // namespace

void fuzz(std::string_view bytes) {
  constexpr Endpoint kAll[] = {kChat, kCompletions, kEmbeddings, kResponses, kMessages, kTokenize, kDetokenize};
  if (bytes.empty()) return;
  read(kAll[static_cast<unsigned char>(bytes[0]) % std::size(kAll)], bytes.substr(1));
}

}  // namespace tinyllm::test
