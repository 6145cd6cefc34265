#pragma once

#include <tinyllm/model/text/prompt.h>

#include <filesystem>

namespace tinyllm::cli {

/// Reads a saved conversation, {"messages": [{"role", "content"}, ...]}: a system message or none, then messages of
/// user and assistant in turn. Throws Error on any other file.
Conversation load_conversation(const std::filesystem::path& path);

/// Writes one that only its owner can read, and returns its size in bytes. Finetuning reads the same format.
size_t save_conversation(const Conversation& conversation, const std::filesystem::path& path);

/// Whether a file can be read by `load_conversation`.
bool is_conversation(const std::filesystem::path& path);

}  // namespace tinyllm::cli
