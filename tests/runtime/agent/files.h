// Trees of files for tests of the agent: made, changed by actors, and compared byte by byte.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace tinyllm::test {

/// What one object of a tree is: its kind, mode, time of change and bytes.
using Snapshot = std::map<std::string, std::string>;
Snapshot snapshot(const std::filesystem::path& folder);
/// What differs, one line each; empty if nothing does.
std::string difference(const Snapshot& before, const Snapshot& after);

/// Makes what the `setup` of a case lists below `top`, where `$T` stands. Returns false if this machine cannot.
bool set_up(const nlohmann::json& setup, const std::filesystem::path& top);

/// Carries out what an actor of a case does: "create b.txt 'text'", "rewrite a.txt", "remove root/x/*", "rename a→b",
/// "mkdir d". `text_of` gives the text of a rewrite. Throws std::runtime_error for a verb that it does not know.
void act(const std::string& what, const std::filesystem::path& top, const nlohmann::json& expect);

std::string replaced(std::string text, const std::string& find, const std::string& with);
void write(const std::filesystem::path& path, const std::string& bytes);
std::string bytes_of(const std::filesystem::path& path);

}  // namespace tinyllm::test
