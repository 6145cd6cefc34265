// The body of a request to the server, of any endpoint: the first byte says which.
#include <tinyllm/runtime/serve/api_error.h>
#include <tinyllm/runtime/serve/fields.h>
#include <tinyllm/runtime/serve/wire_messages.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

namespace tinyllm::test {
namespace {

void read(Endpoint endpoint, std::string_view body) {
  try {
    const Fields fields(endpoint, body);
    const bool has_messages = endpoint == kChat || endpoint == kMessages;
    const Messages messages = has_messages ? wire_messages(fields.need("messages"), "messages") : Messages();
    for (size_t i = 0; i < messages.size(); ++i) require(messages[i].role != Role::system || i == 0);
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
