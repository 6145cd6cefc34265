#pragma once

#include <tinyllm/model/text/message.h>

#include <filesystem>

namespace tinyllm::cli {

/// Reads a saved conversation, {"messages": [{"role", "content"}, ...]}, which ends with an answer or has none of the
/// user's messages. Throws Error on any other file, and when the messages are out of order.
Messages load_conversation(const std::filesystem::path& path);

/// Writes such a file, readable only by its owner. Returns its size in bytes. finetune reads the same format.
size_t save_conversation(const Messages& messages, const std::filesystem::path& path);

/// Whether a file can be read by `load_conversation`.
bool is_conversation(const std::filesystem::path& path);

}  // namespace tinyllm::cli
