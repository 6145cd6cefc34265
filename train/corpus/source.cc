#include <tinyllm/train/corpus/source.h>

#include <tinyllm/tensor/base/error.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace tinyllm::corpus {

namespace {

constexpr int kMostFilters = 2;
// Deflate expands by at most 1032, for a text that repeats one letter.
constexpr int64_t kMostExpansion = 1000;
constexpr int64_t kAlwaysAllowed = int64_t{16} << 20;  // Bytes: a small text may expand by more.

}  // namespace

struct FileSource::State {
  std::string name;
  int fd = -1;
  int64_t size = 0;
  int64_t consumed = 0;
  int64_t produced = 0;  // Decompressed bytes.
  bool is_empty = false;
  archive* decompressor = nullptr;
  std::array<char, 1 << 16> buffer;

  ~State() {
    if (decompressor != nullptr) archive_read_free(decompressor);
    if (fd >= 0) close(fd);
  }

  size_t read_file(std::span<char> into) {
    const auto wanted = std::min<int64_t>(std::ssize(into), size - consumed);
    if (wanted <= 0) return 0;
    ssize_t got;
    do {
      got = ::read(fd, into.data(), static_cast<size_t>(wanted));
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw Error("{}: cannot be read: {}", name, std::strerror(errno));
    if (got == 0) throw Error("{}: became shorter while it was read: {} of {} bytes", name, consumed, size);
    consumed += got;
    return static_cast<size_t>(got);
  }

  void check_size() const {
    struct stat status {};
    if (fstat(fd, &status) == 0 && status.st_size > size) {
      throw Error("{}: grew while it was read: {} of {} bytes were read", name, size, status.st_size);
    }
  }

  // What libarchive calls for compressed bytes; no exception may pass through it.
  static la_ssize_t more(archive* decompressor, void* self, const void** bytes) {
    auto* state = static_cast<State*>(self);
    *bytes = state->buffer.data();
    try {
      return static_cast<la_ssize_t>(state->read_file(state->buffer));
    } catch (const Error& error) {
      archive_set_error(decompressor, EIO, "%s", error.what());
      return -1;
    }
  }

  [[noreturn]] void damaged() {
    const char* why = archive_error_string(decompressor);
    throw Error("{}: compressed data are damaged or cut: {}", name, why == nullptr ? "unknown format" : why);
  }

  void open_compressed() {
    decompressor = archive_read_new();
    // No others: some run programs, and text that begins like uuencoded would be decoded.
    archive_read_support_filter_gzip(decompressor);
    archive_read_support_filter_xz(decompressor);
    archive_read_support_filter_zstd(decompressor);
    archive_read_support_format_raw(decompressor);
    archive_read_support_format_empty(decompressor);
    archive_entry* entry = nullptr;
    if (archive_read_open(decompressor, this, nullptr, more, nullptr) != ARCHIVE_OK) damaged();
    // libarchive counts the file itself as one more. Each filter has only decompressed its first block so far.
    if (const int filters = archive_filter_count(decompressor) - 1; filters > kMostFilters) {
      throw Error("{}: is compressed {} times over, expected at most {}", name, filters, kMostFilters);
    }
    const int status = archive_read_next_header(decompressor, &entry);
    if (status != ARCHIVE_OK && status != ARCHIVE_EOF) damaged();
    is_empty = status == ARCHIVE_EOF;
  }

  size_t decompress(std::span<char> into) {
    if (is_empty) return 0;
    const la_ssize_t got = archive_read_data(decompressor, into.data(), into.size());
    if (got < 0) damaged();
    produced += got;
    if (produced > kAlwaysAllowed && produced / kMostExpansion > consumed) {
      throw Error("{}: expands more than {} times: {} bytes of it make {} bytes of text or more", name, kMostExpansion,
                  consumed, produced);
    }
    return static_cast<size_t>(got);
  }
};

FileSource::FileSource(const InputFile& file) : state_(std::make_unique<State>()) {
  state_->name = file.name;
  state_->size = file.size;
  state_->fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (state_->fd < 0) throw Error("{}: cannot be opened: {}", file.name, std::strerror(errno));
  if (file.compressed && file.size > 0) state_->open_compressed();
}

FileSource::~FileSource() = default;
FileSource::FileSource(FileSource&&) noexcept = default;
FileSource& FileSource::operator=(FileSource&&) noexcept = default;

size_t FileSource::read(std::span<char> into) {
  if (state_->decompressor != nullptr) return state_->decompress(into);
  const size_t got = state_->read_file(into);
  if (got == 0) state_->check_size();
  return got;
}

int64_t FileSource::consumed() const { return state_->consumed; }

}  // namespace tinyllm::corpus
