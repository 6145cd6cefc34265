#pragma once

#include <tinyllm/runtime/search/read_files.h>
#include <tinyllm/tensor/base/progress.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tinyllm::search {

struct SyncOptions {
  int64_t characters = 256;  ///< Of a chunk, see `ChunkOptions`.
  int threads = 1;
};

/// What has become of the files of a folder since it was last indexed.
struct SyncReport {
  int64_t added = 0;
  int64_t changed = 0;
  int64_t gone = 0;
  int64_t unchanged = 0;
  int64_t unread = 0;  ///< Files that cannot be read.
  int64_t others = 0;  ///< Files of other kinds and links, which are left out.
  int64_t bytes = 0;   ///< Of the files that were read.
  bool stopped = false;
  std::vector<Note> notes;
};

/// Makes an index agree with a folder, at a cost in proportion to what has changed: files are told apart by size and
/// time, and then by content. The index keeps which folder and how long chunks are; throws Error when others are
/// given than before, when another process changes the index, or when the folder has no documents any more. A file that
/// cannot be read is tried again when it has changed; one whose reading failed for another reason (`TemporaryError`)
/// stays in the index as it was, and is tried again each time. `on_progress` counts bytes of files; when it stops the
/// work, what is done stays done, and the next call continues.
SyncReport sync_folder(IndexFile& index, const std::filesystem::path& folder, const SyncOptions& options,
                       const OnProgress& on_progress = {});

/// The folder that an index describes, from the root; empty in a new one.
std::filesystem::path folder_of(IndexFile& index);
/// The characters of a chunk of an index.
int64_t characters_of(IndexFile& index);

}  // namespace tinyllm::search
