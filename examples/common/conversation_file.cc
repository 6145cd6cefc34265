#include "conversation_file.h"

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>

#include <nlohmann/json.hpp>

#include <sys/stat.h>

namespace tinyllm::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uintmax_t kMaxBytes = 64 << 20;
constexpr int kMaxDepth = 32;

// Null when it is not JSON. The depth is limited, since values are printed and removed by recursion.
Json parse_json(const std::filesystem::path& path) {
  std::error_code error;
  if (const uintmax_t size = std::filesystem::file_size(path, error); !error && size > kMaxBytes) {
    throw Error("{}: has {} bytes, expected at most {} of a conversation", path.string(), size, kMaxBytes);
  }
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) throw Error("{}: is nested more than {} levels deep", path.string(), kMaxDepth);
    return true;
  };
  return Json::parse(read_file(path), check_depth, false);
}

const std::string* find_text(const Json& message, const char* field) {
  if (!message.is_object()) return nullptr;
  const auto found = message.find(field);
  return found == message.end() ? nullptr : found->get_ptr<const std::string*>();
}

// Written by its owner alone: a conversation is private.
void write_private_file(const std::filesystem::path& path, const std::string& text) {
  const mode_t before = umask(077);
  try {
    write_file(path, text);
  } catch (...) {
    umask(before);
    throw;
  }
  umask(before);
}

}  // namespace

Conversation load_conversation(const std::filesystem::path& path) {
  const Json json = parse_json(path);
  if (!json.is_object() || !json.contains("messages") || !json["messages"].is_array()) {
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
                  message.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 80), expected);
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
  Json messages = {{{"role", "system"}, {"content", conversation.system}}};
  for (const Turn& turn : conversation.turns) {
    messages.push_back({{"role", "user"}, {"content", turn.user}});
    messages.push_back({{"role", "assistant"}, {"content", turn.assistant}});
  }
  const std::string text = Json{{"messages", messages}}.dump() + "\n";
  write_private_file(path, text);
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
