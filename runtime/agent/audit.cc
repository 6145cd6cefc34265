#include <tinyllm/runtime/agent/audit.h>

#include <tinyllm/runtime/agent/names.h>

#include <openssl/sha.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace tinyllm::agent {
namespace {

constexpr size_t kHashDigits = 64;
constexpr size_t kMaxLine = size_t{16} << 20;
constexpr const char* kHashField = ",\"hash\":\"";

class FileLock {
 public:
  explicit FileLock(int file) : file_(file) {
    while (flock(file_, LOCK_EX) != 0) {
      if (errno != EINTR) break;  // A file system without locks: one agent for one log.
    }
  }
  ~FileLock() { flock(file_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

struct Line {
  int64_t number = 0;
  std::string prev, hash;
};

// What a line says of itself; none if its hash is wrong.
std::optional<Line> line_of(std::string_view text) {
  const size_t tail = std::strlen(kHashField) + kHashDigits + 2;
  if (text.size() < tail || !text.ends_with("\"}")) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - tail), rest = text.substr(body.size());
  if (!rest.starts_with(kHashField)) return std::nullopt;
  Line line;
  line.hash = rest.substr(std::strlen(kHashField), kHashDigits);
  if (sha256_hex(std::string(body) + "}") != line.hash) return std::nullopt;
  try {
    const Json json = parse_json_object(std::string(body) + "}", "a line");
    line.number = json.at("line").get<int64_t>();
    line.prev = json.at("prev").get<std::string>();
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return line;
}

[[noreturn]] void tampered(const std::filesystem::path& path, const std::string& why) {
  throw AgentError(Code::log_tampered, "log {}: {}", escaped(path.string()), why);
}

[[noreturn]] void unwritable(const std::filesystem::path& path, int error) {
  throw AgentError(Code::log_unwritable, "log {}: cannot be written: {}; nothing is done without it",
                   escaped(path.string()), std::strerror(error));
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  std::string text;
  for (const unsigned char byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

AuditLog::AuditLog(const std::filesystem::path& path, const AuditHead& known) : path_(path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  file_ = Handle(open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file_) unwritable(path, errno);
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) unwritable(path, errno);
  if (!S_ISREG(status.st_mode)) unwritable(path, EINVAL);
  const FileLock lock(file_.get());
  read_end();
  if (head_.lines < known.lines)
    tampered(path, fmt::format("has {} lines, and had {}: its end was cut off", head_.lines, known.lines));
  if (head_.lines == known.lines && head_.hash != known.hash)
    tampered(path, fmt::format("line {} altered", known.lines));
}

void AuditLog::read_end() {
  const off_t size = lseek(file_.get(), 0, SEEK_END);
  head_ = {};
  if (size <= 0) return;
  // The last line, read backwards in pieces.
  std::string end;
  off_t begin = size;
  while (begin > 0 && end.size() < kMaxLine) {
    std::array<char, 4096> piece;
    const auto count = static_cast<size_t>(std::min<off_t>(begin, piece.size()));
    begin -= static_cast<off_t>(count);
    if (pread(file_.get(), piece.data(), count, begin) != static_cast<ssize_t>(count)) unwritable(path_, EIO);
    end.insert(0, piece.data(), count);
    if (end.size() > 1 && end.rfind('\n', end.size() - 2) != end.npos) break;
  }
  // A line that a crash cut off was of something that was not done.
  if (!end.ends_with('\n')) {
    const size_t whole = end.rfind('\n');
    const off_t keep = whole == end.npos ? 0 : begin + static_cast<off_t>(whole) + 1;
    if (ftruncate(file_.get(), keep) != 0) unwritable(path_, errno);
    return read_end();
  }
  end.pop_back();
  const auto line = line_of(std::string_view(end).substr(end.rfind('\n') + 1));
  if (!line) tampered(path_, "its last line is altered");
  head_ = {line->number, line->hash};
}

void AuditLog::append(Json entry) {
  const FileLock lock(file_.get());
  read_end();
  entry["line"] = head_.lines + 1;
  entry["prev"] = head_.hash;
  const std::string body = entry.dump();
  const std::string hash = sha256_hex(body);
  const std::string line = fmt::format("{}{}{}\"}}\n", body.substr(0, body.size() - 1), kHashField, hash);
  const off_t end = lseek(file_.get(), 0, SEEK_END);
  const ssize_t written = write(file_.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size()) || fdatasync(file_.get()) != 0) {
    const int error = written >= 0 ? ENOSPC : errno;
    [[maybe_unused]] const int result = ftruncate(file_.get(), end);
    unwritable(path_, error);
  }
  head_ = {head_.lines + 1, hash};
}

AuditHead verify_log(const std::filesystem::path& path, const AuditHead& known) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw AgentError(Code::log_unwritable, "log {}: cannot be read", escaped(path.string()));
  AuditHead head;
  bool is_known = known.lines == 0;
  std::string text;
  while (std::getline(file, text)) {
    const auto line = line_of(text);
    if (!line) tampered(path, fmt::format("line {} altered", head.lines + 1));
    if (line->number != head.lines + 1 || line->prev != head.hash) {
      tampered(path, fmt::format("line {} does not follow the one before", head.lines + 1));
    }
    head = {line->number, line->hash};
    if (head.lines == known.lines) {
      if (head.hash != known.hash) tampered(path, fmt::format("line {} altered", head.lines));
      is_known = true;
    }
  }
  if (!is_known) tampered(path, fmt::format("has {} lines, and had {}: its end was cut off", head.lines, known.lines));
  return head;
}

}  // namespace tinyllm::agent
