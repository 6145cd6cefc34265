#include <tinyllm/runtime/serve/keys.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <charconv>
#include <set>

namespace tinyllm {
namespace {

constexpr uint64_t kMostBytes = 16 << 20;

Sha256 sha256(std::string_view text) {
  Sha256 hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return hash;
}

std::string hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

Sha256 hash_of(const std::string& text) {
  Sha256 hash{};
  bool is_hash = text.size() == 2 * hash.size();
  for (size_t i = 0; is_hash && i < hash.size(); ++i) {
    const char* at = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(at, at + 2, hash[i], 16);
    is_hash = error == std::errc() && end == at + 2;
  }
  if (!is_hash) throw Error("field sha256: {}, expected 64 hexadecimal digits", shortened(text));
  return hash;
}

int64_t limit_of(const Json& line, const char* field) {
  int64_t limit = 0;
  if (find_field(line, field) != nullptr) read_field(line, field, limit);
  if (limit < 0) throw Error("field {}: {}, expected 0 (no limit) or more", field, limit);
  return limit;
}

Key key_of(const Json& line) {
  if (!line.is_object()) throw Error("{}, expected an object", type_of(line));
  Key key;
  key.id = text(line, "id");
  key.hash = hash_of(text(line, "sha256"));
  key.limits = {limit_of(line, "requests_per_minute"), limit_of(line, "tokens_per_minute"),
                limit_of(line, "tokens_per_day")};
  return key;
}

template <size_t size>
std::array<uint8_t, size> random_bytes() {
  std::array<uint8_t, size> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(size)) throw Error("no random bytes");
  return bytes;
}

}  // namespace

uint64_t Key::owner() const {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = number << 8 | hash[i];
  return number | 1;
}

Keys::Keys(const std::filesystem::path& path) {
  const std::string all = read_file(path, kMostBytes);
  std::set<std::string> ids;
  size_t number = 0;
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string where = fmt::format("{}: line {}", path.string(), ++number);
    if (is_blank(line)) continue;
    try {
      const Key key = key_of(parse_json(line, "a key"));
      if (!ids.insert(key.id).second) throw Error("field id: {} is there twice", shortened(key.id));
      keys_.push_back(std::make_shared<Key>(key));
    } catch (const Error& error) {
      throw Error("{}: {}", where, error.what());
    }
  }
  if (keys_.empty()) throw Error("{}: has no key; make one with --new-key", path.string());
}

std::shared_ptr<const Key> Keys::find(std::string_view secret) const {
  const Sha256 hash = sha256(secret);
  std::shared_ptr<const Key> found;
  for (const auto& key : keys_) {
    if (CRYPTO_memcmp(hash.data(), key->hash.data(), hash.size()) == 0) found = key;
  }
  return found;
}

std::string new_key(const std::filesystem::path& path, const KeyLimits& limits) {
  const std::string secret = "sk-" + hex(random_bytes<32>());
  Json line = {{"id", "key-" + hex(random_bytes<8>())}, {"sha256", hex(sha256(secret))}};
  if (limits.requests_per_minute > 0) line["requests_per_minute"] = limits.requests_per_minute;
  if (limits.tokens_per_minute > 0) line["tokens_per_minute"] = limits.tokens_per_minute;
  if (limits.tokens_per_day > 0) line["tokens_per_day"] = limits.tokens_per_day;
  append_line(path, line.dump(), Access::owner);
  return secret;
}

}  // namespace tinyllm
