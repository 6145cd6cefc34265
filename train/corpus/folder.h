#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

enum class TextFormat { text, markdown, html, json_lines };

/// As in reports: "text", "Markdown", "HTML", "JSON lines".
std::string_view format_name(TextFormat format);

/// A file to read, as it was when the folder was listed.
struct InputFile {
  std::filesystem::path path;
  std::string name;  ///< The path as people read it: bytes that are not UTF-8 and control characters as \xHH.
  TextFormat format = TextFormat::text;
  bool compressed = false;
  int64_t size = 0;  ///< Bytes on disk.
};

/// A file or folder that is not read.
struct SkippedFile {
  std::string name;
  int64_t size = 0;
  std::string rule;
  std::string why;
};

struct FolderListing {
  std::vector<InputFile> files;
  std::vector<SkippedFile> skipped;
  int64_t bytes = 0;  ///< Of all files to read.
};

/// The text files in some folders and the folders in them, or the files named themselves: the inputs in the order
/// given, the entries of a folder by the bytes of their names. Text files are .txt, .md or .markdown, .jsonl, .html
/// or .htm, and these with .gz, .xz or .zst behind. Symbolic links are followed; a folder or file that has been reached
/// before is not read again, which ends loops. Nor are the `outputs` read, which may lie in an input folder from the
/// last run. Throws Error when an input does not exist. What else cannot be listed is skipped.
FolderListing list_text_files(const std::vector<std::filesystem::path>& inputs,
                              const std::vector<std::filesystem::path>& outputs);

}  // namespace tinyllm
