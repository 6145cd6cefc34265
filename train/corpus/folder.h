#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::corpus {

enum class TextFormat { text, markdown, html, json_lines };

/// As in reports: "text", "Markdown", "HTML", "JSON lines".
std::string_view format_name(TextFormat format);

/// A file to read, as of when the folder was listed.
struct InputFile {
  std::filesystem::path path;
  std::string name;  ///< The path as people read it: bytes that are not UTF-8 and control characters as `\xHH`.
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

/// Lists the text files that `inputs` name, and those in the folders that they name: inputs in the order given, the
/// entries of a folder sorted by the bytes of their names. A text file is named .txt, .md, .markdown, .jsonl, .html or
/// .htm, or one of these followed by .gz, .xz or .zst.
///
/// A symbolic link in a folder is followed only to a place within the inputs; an input may itself be a link. A folder
/// or file that was reached before is not read again, which also ends loops. The `outputs` are not read, since they may
/// be in an input folder from the last run. Throws Error when an input does not exist. Everything else that is not
/// listed is in `skipped`, with the reason.
FolderListing list_text_files(const std::vector<std::filesystem::path>& inputs,
                              const std::vector<std::filesystem::path>& outputs);

}  // namespace tinyllm::corpus
