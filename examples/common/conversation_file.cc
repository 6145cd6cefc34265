#include "conversation_file.h"

#include <tinyllm/model/text/messages_json.h>
#include <tinyllm/tensor/base/file.h>

namespace tinyllm::cli {
namespace {

constexpr uint64_t kMostBytes = 64 << 20;

}  // namespace

Messages load_conversation(const std::filesystem::path& path) {
  const Json json = load_json_object(path, kMostBytes);
  const Json* list = find_field(json, "messages");
  if (list == nullptr || !list->is_array()) {
    throw Error("{}: is not a saved conversation, expected {{\"messages\": [...]}}", path.string());
  }
  if (list->empty()) return {};
  Messages messages = read_messages(*list, path.string());
  check_order(messages, path.string());
  if (messages.back().role == Role::user || messages.back().role == Role::tool) {
    throw Error("{}: ends with a message of the {}, expected an answer to it", path.string(),
                name_of(messages.back().role));
  }
  return messages;
}

size_t save_conversation(const Messages& messages, const std::filesystem::path& path) {
  using Json = nlohmann::ordered_json;  // The role before the content, as people read it.
  Json list = Json::array();
  for (const Message& message : messages) {
    list.push_back({{"role", name_of(message.role)}, {"content", message.content}});
  }
  const std::string text = Json{{"messages", list}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  write_file(path, text, Access::owner);
  return text.size();
}

bool is_conversation(const std::filesystem::path& path) {
  try {
    load_conversation(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace tinyllm::cli
