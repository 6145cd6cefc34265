#include "runtime/agent/files.h"

#include <tinyllm/tensor/base/error.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace tinyllm::test {
namespace {

std::string unhex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void make_sized(const fs::path& path, uintmax_t size) {
  constexpr uintmax_t kSmall = 16 << 20;
  write(path, std::string(size < kSmall ? size : 0, '\0'));
  fs::resize_file(path, size);  // Zeros that take no place on the disk.
}

// Deeper than a path may be long, so folder by folder.
void make_deep(const fs::path& top, int levels, const std::string& leaf) {
  fs::create_directories(top);
  int folder = open(top.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 1; i < levels; ++i) {
    mkdirat(folder, "folder", 0755);
    const int next = openat(folder, "folder", O_RDONLY | O_DIRECTORY);
    close(folder);
    folder = next;
  }
  const int file = openat(folder, leaf.c_str(), O_CREAT | O_WRONLY, 0644);
  if (file < 0) throw std::runtime_error("a deep tree cannot be made");
  close(file);
  close(folder);
}

std::string decomposed(std::string text) { return replaced(std::move(text), "é", "e\xCC\x81"); }

bool make_socket(const fs::path& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const bool made = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return made;
}

bool make(const Json& entry, const fs::path& top) {
  const auto path = [&](const char* key) { return top / entry.at(key).get<std::string>(); };
  const auto above = [](const fs::path& made) {
    fs::create_directories(made.parent_path());
    return made;
  };
  if (entry.contains("repeat")) {
    for (int i = 0; i < entry.at("repeat").get<int>(); ++i) {
      const std::string format = entry.at("file").get<std::string>();
      const size_t percent = format.find('%');
      const size_t end = format.find('d', percent);
      const int width = std::stoi(format.substr(percent + 1, end - percent - 1));
      std::string number = std::to_string(i);
      number.insert(0, static_cast<size_t>(std::max(0, width - static_cast<int>(number.size()))), '0');
      write(top / (format.substr(0, percent) + number + format.substr(end + 1)), entry.at("text").get<std::string>());
    }
  } else if (entry.contains("file_bytes")) {
    write(path("file_bytes"), unhex(entry.at("hex").get<std::string>()));
  } else if (entry.contains("file")) {
    const std::string name = entry.at("file").get<std::string>();
    const fs::path made = top / (entry.value("normal", "") == "NFD" ? decomposed(name) : name);
    if (entry.contains("size")) {
      make_sized(made, entry.at("size").get<uintmax_t>());
    } else {
      write(made, entry.value("text", ""));
    }
    if (entry.contains("mode"))
      chmod(made.c_str(), static_cast<mode_t>(std::stoi(entry.at("mode").get<std::string>(), nullptr, 8)));
  } else if (entry.contains("dir")) {
    fs::create_directories(path("dir"));
    const Json files = entry.value("files", Json::object());
    for (const auto& [name, text] : files.items()) write(path("dir") / name, text.get<std::string>());
    if (entry.contains("mode"))
      chmod(path("dir").c_str(), static_cast<mode_t>(std::stoi(entry.at("mode").get<std::string>(), nullptr, 8)));
  } else if (entry.contains("symlink")) {
    fs::create_symlink(replaced(entry.at("to").get<std::string>(), "$T", top.string()), above(path("symlink")));
  } else if (entry.contains("hardlink")) {
    fs::create_hard_link(path("to"), above(path("hardlink")));
  } else if (entry.contains("fifo")) {
    return mkfifo(above(path("fifo")).c_str(), 0644) == 0;
  } else if (entry.contains("socket")) {
    return make_socket(above(path("socket")));
  } else if (entry.contains("device")) {
    const dev_t device = makedev(entry.at("major").get<unsigned>(), entry.at("minor").get<unsigned>());
    return mknod(above(path("device")).c_str(), S_IFCHR | 0644, device) == 0;
  } else if (entry.contains("deep")) {
    make_deep(path("deep"), entry.at("levels").get<int>(), entry.at("leaf").get<std::string>());
  } else if (entry.contains("tmpfs")) {
    fs::create_directories(path("tmpfs"));
    const std::string size = "size=" + entry.at("size").get<std::string>();
    return mount("tmpfs", path("tmpfs").c_str(), "tmpfs", 0, size.c_str()) == 0;
  } else {
    throw std::runtime_error("a setup that is not known: " + entry.dump());
  }
  return true;
}

}  // namespace

std::string replaced(std::string text, const std::string& find, const std::string& with) {
  for (size_t at = 0; (at = text.find(find, at)) != std::string::npos; at += with.size())
    text.replace(at, find.size(), with);
  return text;
}

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string difference(const Snapshot& before, const Snapshot& after) {
  std::string text;
  for (const auto& [name, what] : before) {
    const auto found = after.find(name);
    if (found == after.end()) text += fmt::format("{}: has gone\n", name);
    if (found != after.end() && found->second != what) text += fmt::format("{}: {} -> {}\n", name, what, found->second);
  }
  for (const auto& [name, what] : after) {
    if (!before.contains(name)) text += fmt::format("{}: is new\n", name);
  }
  return text;
}

Snapshot snapshot(const fs::path& folder) {
  Snapshot tree;
  const auto add = [&](const fs::path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) throw std::runtime_error(path.string());
    std::string what =
        fmt::format("{:o} {} {}.{:09}", status.st_mode, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (S_ISDIR(status.st_mode))
      what = fmt::format("{:o} {}.{:09}", status.st_mode, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (S_ISLNK(status.st_mode)) what += " -> " + fs::read_symlink(path).string();
    if (S_ISREG(status.st_mode) && status.st_size < 1 << 20) what += " " + bytes_of(path);
    tree[path.lexically_relative(folder).string()] = what;
  };
  add(folder);
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (it->path() == folder / ".agent") {
      it.disable_recursion_pending();
      continue;
    }
    add(it->path());
    constexpr size_t kLongest = 3500;  // Below, the system takes no path as a text.
    if (it->path().native().size() > kLongest) it.disable_recursion_pending();
  }
  return tree;
}

bool set_up(const Json& setup, const fs::path& top) {
  fs::create_directories(top / "outside");
  bool can = true;
  for (const Json& entry : setup) can = can && make(entry, top);
  fs::create_directories(top / "root");
  return can;
}

void act(const std::string& what, const fs::path& top, const Json& expect) {
  // Names in actors are below the root, unless they say so.
  const auto place = [&](const std::string& name) {
    return name.starts_with("root") || name.starts_with("outside") ? top / name : top / "root" / name;
  };
  const size_t blank = what.find(' ');
  const std::string verb = what.substr(0, blank), rest = what.substr(blank + 1);
  if (verb == "create") {
    const size_t quote = rest.find(" '");
    if (quote == rest.npos) return write(place(rest), expect.at("created").get<std::string>());
    const std::string text = rest.substr(quote + 2, rest.rfind('\'') - quote - 2);
    write(place(rest.substr(0, quote)), replaced(text, "\\n", "\n"));
  } else if (verb == "rewrite") {
    write(place(rest), expect.at("after").at("root/" + rest).get<std::string>());
  } else if (verb == "remove") {
    const fs::path folder = place(rest).parent_path();
    if (!rest.ends_with("/*")) {
      fs::remove_all(place(rest));
      return;
    }
    for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
  } else if (verb == "rename") {
    const size_t arrow = rest.find("→");
    fs::rename(top / rest.substr(0, arrow), top / rest.substr(arrow + std::string("→").size()));
  } else if (verb == "mkdir") {
    fs::create_directories(top / rest);
  } else {
    throw std::runtime_error("an actor that is not known: " + what);
  }
}

}  // namespace tinyllm::test
