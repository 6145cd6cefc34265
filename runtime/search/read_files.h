#pragma once

#include <tinyllm/runtime/search/index_writer.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tinyllm::search {

/// Something that a user should know about a file.
struct Note {
  std::string path;
  std::string what;
  bool is_unread = false;  ///< Nothing of the file could be read.
};

/// What is below a folder.
struct Listing {
  std::vector<FileState> files;     ///< That may be documents, by their names, in order.
  std::vector<Note> notes;          ///< What could not be read,
  std::vector<std::string> unread;  ///< and the folders among it, each with a slash at the end.
  int64_t others = 0;               ///< Files of other kinds, and links. Hidden files do not count.
};

/// Lists a folder, without following links. Throws Error when the folder itself cannot be read.
Listing list_documents(const std::filesystem::path& folder);

/// The content of a file, as it is told from others: by a hash of its bytes and of its extension, which decides how it
/// is read. Throws Error when the file is too large, and TemporaryError when it cannot be read.
std::string hash_of_file(const std::filesystem::path& path);

/// Reads the documents of a file: one, or those of a file of JSON lines with `text`, and perhaps `id` and `title`. Cuts
/// them into chunks of `characters`, and counts the grams of these, except in very long documents. Throws Error when
/// the file cannot be read or is not a document.
std::vector<NewDocument> read_documents(const std::filesystem::path& path, int64_t characters,
                                        std::vector<std::string>& notes);

}  // namespace tinyllm::search
