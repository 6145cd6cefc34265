#include <tinyllm/runtime/search/sync.h>

#include <tinyllm/runtime/documents/document.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/file_lock.h>
#include <tinyllm/tensor/base/ordered_pipeline.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <new>
#include <optional>

namespace tinyllm::search {
namespace {

constexpr std::string_view kFolder = "folder";
constexpr std::string_view kCharacters = "characters";

void keep_settings(IndexFile& index, const std::filesystem::path& folder, int64_t characters) {
  const std::string name = index.database().path().string();
  const std::filesystem::path known = folder_of(index);
  if (known.empty()) {
    Transaction transaction(index.database(), true);
    index.set_setting(kFolder, folder.string());
    index.set_setting(kCharacters, std::to_string(characters));
    transaction.commit();
    return;
  }
  if (known != folder) throw Error("{}: is the index of {}, not of {}", name, known.string(), folder.string());
  if (const int64_t before = characters_of(index); before != characters) {
    throw Error("{}: has chunks of {} characters, not of {}; build another index", name, before, characters);
  }
}

struct Work {
  FileState file;
  bool is_new = true;  // The index has nothing of it.
};

struct Result {
  Work work;
  std::string hash;
  std::vector<NewDocument> documents;  // Read unless the content is known.
  std::vector<std::string> notes;
  std::string problem;
  bool is_temporary = false;
};

// What is to be read, and what is gone.
struct Plan {
  std::vector<Work> work;
  std::vector<std::string> gone;
  int64_t bytes = 0;
};

Plan plan_of(const std::vector<FileState>& there, const std::vector<FileState>& known,
             const std::vector<std::string>& unread, SyncReport& report) {
  std::map<std::string, const FileState*> left;
  for (const FileState& file : known) left.emplace(file.path, &file);
  Plan plan;
  for (const FileState& file : there) {
    const auto old = left.find(file.path);
    const bool is_known = old != left.end();
    if (is_known && old->second->size == file.size && old->second->time == file.time) {
      if (old->second->problem.empty()) {
        ++report.unchanged;
      } else {
        ++report.unread;
        report.notes.push_back({file.path, "is still unreadable: " + old->second->problem, true});
      }
    } else {
      plan.work.push_back({file, !is_known || !old->second->problem.empty()});
      plan.bytes += file.size;
    }
    if (is_known) left.erase(old);
  }
  for (const auto& [path, file] : left) {
    const auto holds = [&, &path = path](const std::string& folder) { return path.starts_with(folder); };
    if (std::none_of(unread.begin(), unread.end(), holds)) plan.gone.push_back(path);
  }
  return plan;
}

// Errors name the file, and so do notes: once is enough.
std::string without_path(std::string_view what, const std::filesystem::path& path) {
  const std::string front = path.string() + ": ";
  return std::string(what.starts_with(front) ? what.substr(front.size()) : what);
}

void read(const std::filesystem::path& root, const std::set<std::string>& known, int64_t characters, Result& result) {
  const std::filesystem::path path = root / result.work.file.path;
  try {
    result.hash = hash_of_file(path);
    if (known.count(result.hash) > 0) return;
    result.documents = read_documents(path, characters, result.notes);
    if (hash_of_file(path) != result.hash) throw TemporaryError("was changed while it was read");
  } catch (const TemporaryError& error) {
    result.problem = without_path(error.what(), path);
    result.is_temporary = true;
  } catch (const Error& error) {
    result.problem = without_path(error.what(), path);
  } catch (const std::bad_alloc&) {
    result.problem = "needs more memory than there is";
    result.is_temporary = true;
  }
  if (!result.problem.empty()) result.documents.clear();
}

void take(Result& result, IndexWriter& writer, SyncReport& report) {
  const std::string& path = result.work.file.path;
  for (std::string& note : result.notes) report.notes.push_back({path, std::move(note)});
  if (!result.problem.empty()) {
    const bool stays = result.is_temporary && !result.work.is_new;
    report.notes.push_back({path, result.problem + (stays ? "; the index keeps what it had" : ""), true});
    ++report.unread;
    if (result.is_temporary) return;
    result.work.file.problem = result.problem;
    writer.refuse(result.work.file);
    return;
  }
  if (!writer.refer(result.work.file, result.hash)) {
    writer.add(result.work.file, result.hash, std::move(result.documents));
  }
  ++(result.work.is_new ? report.added : report.changed);
}

}  // namespace

std::filesystem::path folder_of(IndexFile& index) { return index.setting(kFolder).value_or(""); }

int64_t characters_of(IndexFile& index) {
  const std::string kept = index.setting(kCharacters).value_or("");
  int64_t characters = SyncOptions().characters;
  std::from_chars(kept.data(), kept.data() + kept.size(), characters);
  return characters;
}

SyncReport sync_folder(IndexFile& index, const std::filesystem::path& folder, const SyncOptions& options,
                       const OnProgress& on_progress) {
  const FileLock lock(index.database().path());
  const std::filesystem::path root = absolute_path(folder);
  Listing listing = list_documents(root);
  SyncReport report{.others = listing.others, .notes = std::move(listing.notes)};
  keep_settings(index, root, options.characters);
  IndexWriter writer(index);
  const std::vector<FileState> before = writer.files();
  if (listing.files.empty() && listing.unread.empty() && !before.empty()) {
    throw Error("{}: has no documents, but the index has {} files of it; if that is right, remove the index",
                root.string(), before.size());
  }
  Plan plan = plan_of(listing.files, before, listing.unread, report);
  const std::set<std::string> known = writer.hashes();

  size_t next = 0;
  std::atomic<bool> stopping = false;
  ordered_pipeline(
      options.threads,
      [&]() -> std::optional<Work> {
        if (stopping || next == plan.work.size()) return std::nullopt;
        return plan.work[next++];
      },
      [&](Work work) {
        Result result{std::move(work), {}, {}, {}, {}};
        read(root, known, options.characters, result);
        return result;
      },
      [&](Result result) {
        take(result, writer, report);
        report.bytes += result.work.file.size;
        if (writer.wants_commit()) writer.commit();
        if (on_progress && !on_progress({report.bytes, plan.bytes})) stopping = true;
      });
  report.stopped = stopping;
  if (!stopping) {
    for (const std::string& path : plan.gone) writer.remove(path);
    report.gone = std::ssize(plan.gone);
  }
  writer.commit();
  return report;
}

}  // namespace tinyllm::search
