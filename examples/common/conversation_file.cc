#include "conversation_file.h"

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm::cli {
namespace {

constexpr uint64_t kMostBytes = 64 << 20;

const std::string* find_text(const Json& message, const char* field) {
  if (!message.is_object()) return nullptr;
  const auto found = message.find(field);
  return found == message.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

Conversation load_conversation(const std::filesystem::path& path) {
  const Json json = load_json_object(path, kMostBytes);
  if (!json.contains("messages") || !json["messages"].is_array()) {
    throw Error("{}: is not a saved conversation, expected {{\"messages\": [...]}}", path.string());
  }
  Conversation conversation;
  std::string expected = "user";
  size_t number = 0;
  for (const Json& message : json["messages"]) {
    const std::string* role = find_text(message, "role");
    const std::string* content = find_text(message, "content");
    const bool is_system = number == 0 && role != nullptr && *role == "system";
    if (role == nullptr || content == nullptr || (*role != expected && !is_system)) {
      throw Error("{}: message {} is {}, expected {{\"role\": \"{}\", \"content\": \"...\"}}", path.string(), number,
                  shown(message), expected);
    }
    ++number;
    if (is_system) {
      conversation.system = *content;
    } else if (expected == "user") {
      conversation.turns.push_back({*content, ""});
      expected = "assistant";
    } else {
      conversation.turns.back().assistant = *content;
      expected = "user";
    }
  }
  if (expected != "user") throw Error("{}: ends with a message of the user, expected an answer to it", path.string());
  return conversation;
}

size_t save_conversation(const Conversation& conversation, const std::filesystem::path& path) {
  using Json = nlohmann::ordered_json;  // The role before the content, as people read it.
  Json messages = {{{"role", "system"}, {"content", conversation.system}}};
  for (const Turn& turn : conversation.turns) {
    messages.push_back({{"role", "user"}, {"content", turn.user}});
    messages.push_back({{"role", "assistant"}, {"content", turn.assistant}});
  }
  const std::string text = Json{{"messages", messages}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
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
