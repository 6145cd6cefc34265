#include <tinyllm/runtime/agent/archive.h>

#include <tinyllm/runtime/agent/names.h>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace tinyllm::agent {
namespace {

// libarchive takes names for text in the encoding of the locale, and loses what that cannot hold. While one exists,
// this thread's locale is one that has all characters, whatever the program has set.
class Utf8Names {
 public:
  Utf8Names() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = uselocale(locale_);
  }
  ~Utf8Names() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

constexpr int64_t kAlwaysAllowed = int64_t{1} << 20;
constexpr size_t kBlock = 1 << 16;

using Reader = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

struct Format {
  const char* ending;
  int format;  // Of archive_write_set_format.
  int (*filter)(archive*);
};
constexpr std::array kFormats = {Format{".zip", ARCHIVE_FORMAT_ZIP, nullptr},
                                 Format{".tar", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, nullptr},
                                 Format{".tar.gz", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, archive_write_add_filter_gzip},
                                 Format{".tgz", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, archive_write_add_filter_gzip},
                                 Format{".tar.xz", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, archive_write_add_filter_xz},
                                 Format{".tar.zst", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, archive_write_add_filter_zstd}};

const Format* format_of(std::string_view name) {
  const std::string lower = folded(name);
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const Format& format) { return lower.ends_with(format.ending); });
  return found == kFormats.end() ? nullptr : &*found;
}

[[noreturn]] void damaged(archive* reader, std::string_view name) {
  const char* why = archive_error_string(reader);
  throw AgentError(Code::bad_archive, "{}: is damaged, or in a format that is not known: {}", escaped(name),
                   why == nullptr ? "no reason given" : escaped(why));
}

[[noreturn]] void cannot_write(archive* writer, std::string_view name) {
  throw system_error(escaped(name), archive_errno(writer) > 0 ? archive_errno(writer) : EIO);
}

ArchiveEntry checked_entry(archive_entry* entry, std::string_view name) {
  ArchiveEntry result;
  const char* path = archive_entry_pathname(entry);
  if (path == nullptr || *path == '\0')
    throw AgentError(Code::bad_archive, "{}: has an entry without a name", escaped(name));
  result.name = path;
  const std::string what = fmt::format("{}: {}", escaped(name), escaped(result.name));
  if (archive_entry_is_encrypted(entry)) throw AgentError(Code::bad_archive, "{}: needs a password", what);
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFLNK || archive_entry_hardlink(entry) != nullptr) {
    throw AgentError(Code::symlink, "{}: is a link, which is not unpacked", what);
  }
  if (type != AE_IFREG && type != AE_IFDIR)
    throw AgentError(Code::not_regular, "{}: is a pipe, socket or device", what);
  result.is_folder = type == AE_IFDIR;
  return result;
}

void add_input(archive* writer, const ArchiveInput& input, std::string_view archive_name) {
  const Entry entry(archive_entry_new(), archive_entry_free);
  const bool is_folder = input.identity.kind == Kind::folder;
  archive_entry_set_pathname(entry.get(), input.name.c_str());
  archive_entry_set_filetype(entry.get(), is_folder ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm(entry.get(), input.identity.mode & 0777);
  archive_entry_set_mtime(entry.get(), input.identity.modified / 1'000'000'000,
                          static_cast<long>(input.identity.modified % 1'000'000'000));
  const Handle file = is_folder ? Handle() : input.open();
  struct stat status {};
  if (!is_folder && fstat(file.get(), &status) != 0) throw system_error(escaped(input.name), errno);
  archive_entry_set_size(entry.get(), is_folder ? 0 : status.st_size);
  if (archive_write_header(writer, entry.get()) < ARCHIVE_WARN) cannot_write(writer, archive_name);
  std::array<char, kBlock> block;
  for (int64_t left = is_folder ? 0 : status.st_size; left > 0;) {
    const ssize_t got = read(file.get(), block.data(), std::min<size_t>(block.size(), static_cast<size_t>(left)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(escaped(input.name), errno);
    if (got == 0)
      throw AgentError(Code::changed_since_plan, "{}: became shorter while it was read", escaped(input.name));
    if (archive_write_data(writer, block.data(), static_cast<size_t>(got)) != got) cannot_write(writer, archive_name);
    left -= got;
  }
}

}  // namespace

bool is_archive_name(std::string_view name) { return format_of(name) != nullptr; }

void read_archive(int file, std::string_view name, const std::function<void(const ArchiveEntry&)>& visit,
                  const std::function<void(std::span<const char>)>& data) {
  const Utf8Names names;
  const Reader reader(archive_read_new(), archive_read_free);
  // No others: some filters run programs.
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_format_zip(reader.get());
  archive_read_support_format_tar(reader.get());
  struct stat status {};
  if (fstat(file, &status) != 0) throw system_error(escaped(name), errno);
  if (archive_read_open_fd(reader.get(), file, kBlock) != ARCHIVE_OK) damaged(reader.get(), name);
  // libarchive counts the file itself as one filter more.
  if (archive_filter_count(reader.get()) > 2) {
    throw AgentError(Code::bad_archive, "{}: is compressed more than once", escaped(name));
  }
  int64_t unpacked = 0;
  for (size_t entries = 0;; ++entries) {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) return;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) damaged(reader.get(), name);
    if (entries == kMaxEntries) {
      throw AgentError(Code::too_large, "{}: has more than {} entries", escaped(name), kMaxEntries);
    }
    const ArchiveEntry found = checked_entry(entry, name);
    visit(found);
    std::array<char, kBlock> block;
    while (!found.is_folder) {
      const la_ssize_t got = archive_read_data(reader.get(), block.data(), block.size());
      if (got < 0) damaged(reader.get(), name);
      if (got == 0) break;
      unpacked += got;
      if (unpacked > kMaxUnpacked || unpacked > kAlwaysAllowed + kMaxRatio * status.st_size) {
        throw AgentError(Code::too_large, "{}: unpacks to more than {} bytes, or more than {} times its size",
                         escaped(name), kMaxUnpacked, kMaxRatio);
      }
      data({block.data(), static_cast<size_t>(got)});
    }
  }
}

int64_t write_archive(int file, std::string_view name, std::span<const ArchiveInput> inputs) {
  const Utf8Names names;
  const Format& format = *format_of(name);
  const Reader writer(archive_write_new(), archive_write_free);
  archive_write_set_format(writer.get(), format.format);
  if (format.filter != nullptr) format.filter(writer.get());
  // Nothing is added after the end: the size of the file is that of the archive.
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  if (archive_write_open_fd(writer.get(), file) != ARCHIVE_OK) cannot_write(writer.get(), name);
  try {
    for (const ArchiveInput& input : inputs) add_input(writer.get(), input, name);
  } catch (...) {
    archive_write_fail(writer.get());
    throw;
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) cannot_write(writer.get(), name);
  return archive_filter_bytes(writer.get(), -1);
}

}  // namespace tinyllm::agent
