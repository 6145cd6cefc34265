#include <tinyllm/train/data/token_file.h>

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

namespace tinyllm {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array<char, 8> kMagic = {'T', 'L', 'T', 'O', 'K', 'E', 'N', 'S'};
constexpr uint32_t kVersion = 1;
constexpr size_t kAlign = sizeof(uint64_t);

struct Header {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t id_bytes;
  uint64_t tokenizer;
};
static_assert(sizeof(Header) == 24);

struct Trailer {
  uint64_t tokens;
  uint64_t documents;
  uint64_t checksum;
};
static_assert(sizeof(Trailer) == 24);

uint32_t id_bytes_for(const Tokenizer& tokenizer) { return tokenizer.size() <= 65536 ? 2 : 4; }

size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

template <class T>
T read_at(std::span<const std::byte> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

}  // namespace

// ---- Reading --------------------------------------------------------------------------------------------------------

TokenFile::TokenFile(const std::filesystem::path& path, const Tokenizer& tokenizer, const OnProgress& on_progress)
    : path_(path), file_(path) {
  read_header(tokenizer);
  compare_checksum(on_progress);
  read_ends();
}

void TokenFile::read_header(const Tokenizer& tokenizer) {
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < sizeof(Header) || read_at<Header>(bytes, 0).magic != kMagic)
    throw Error("{}: is not a file of tokens", path_.string());
  const auto header = read_at<Header>(bytes, 0);
  if (header.version != kVersion) throw Error("{}: version {}, expected {}", path_.string(), header.version, kVersion);
  if (header.tokenizer != tokenizer.hash()) {
    throw Error("{}: was made with the tokenizer {:016x}, expected {:016x}; make it again with this one",
                path_.string(), header.tokenizer, tokenizer.hash());
  }
  if (header.id_bytes != id_bytes_for(tokenizer)) {
    throw Error("{}: ids of {} bytes, expected {} for {} tokens", path_.string(), header.id_bytes,
                id_bytes_for(tokenizer), tokenizer.size());
  }
  id_bytes_ = header.id_bytes;
  vocab_size_ = tokenizer.size();
}

// This comes before the trailer is read: the last bytes of a truncated file are something else.
void TokenFile::compare_checksum(const OnProgress& on_progress) {
  constexpr size_t kAtOnce = size_t{64} << 20;
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < sizeof(Header) + sizeof(Trailer)) {
    throw Error("{}: {} bytes, expected {} or more: cut short", path_.string(), bytes.size(),
                sizeof(Header) + sizeof(Trailer));
  }
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> hash{XXH3_createState(), XXH3_freeState};
  XXH3_64bits_reset(hash.get());
  const size_t total = bytes.size() - sizeof(checksum_);
  for (size_t done = 0; done < total;) {
    const size_t count = std::min(total - done, kAtOnce);
    XXH3_64bits_update(hash.get(), bytes.data() + done, count);
    done += count;
    report(on_progress, {.done = static_cast<int64_t>(done), .total = static_cast<int64_t>(total)});
  }
  checksum_ = XXH3_64bits_digest(hash.get());
  if (checksum_ != read_at<uint64_t>(bytes, total)) {
    throw Error("{}: cut short or damaged: the checksum of its {} bytes is wrong; make it again with tokenize",
                path_.string(), bytes.size());
  }
}

void TokenFile::read_ends() {
  const std::span<const std::byte> bytes = file_.bytes();
  const auto trailer = read_at<Trailer>(bytes, bytes.size() - sizeof(Trailer));
  // Compared before they are multiplied, against overflow: a malicious file can have a valid checksum.
  const size_t room = bytes.size() - sizeof(Header) - sizeof(Trailer);
  const bool fits = trailer.tokens <= room / id_bytes_ && trailer.documents <= room / sizeof(uint64_t);
  if (!fits || aligned(trailer.tokens * id_bytes_) + trailer.documents * sizeof(uint64_t) != room) {
    throw Error("{}: {} tokens in {} documents do not fit a file of {} bytes: damaged", path_.string(), trailer.tokens,
                trailer.documents, bytes.size());
  }
  size_ = static_cast<int64_t>(trailer.tokens);
  const std::byte* ends = bytes.data() + sizeof(Header) + aligned(trailer.tokens * id_bytes_);
  ends_ = {reinterpret_cast<const uint64_t*>(ends), trailer.documents};
  uint64_t last = 0;
  for (const uint64_t end : ends_) {
    if (end <= last || end > trailer.tokens) {
      throw Error("{}: a document of tokens {} to {} of {}: damaged", path_.string(), last, end, trailer.tokens);
    }
    last = end;
  }
  if (last != trailer.tokens)
    throw Error("{}: documents end at token {} of {}: damaged", path_.string(), last, trailer.tokens);
}

TokenFile::Range TokenFile::document(int64_t index) const {
  const auto at = static_cast<size_t>(index);
  return {at == 0 ? 0 : static_cast<int64_t>(ends_[at - 1]), static_cast<int64_t>(ends_[at])};
}

int64_t TokenFile::document_of(int64_t token) const {
  return std::upper_bound(ends_.begin(), ends_.end(), static_cast<uint64_t>(token)) - ends_.begin();
}

void TokenFile::tokens(int64_t from, int64_t count, int32_t* out) const {
  const std::byte* ids = file_.bytes().data() + sizeof(Header) + static_cast<size_t>(from) * id_bytes_;
  const auto copy = [&](const auto* id) {
    for (int64_t i = 0; i < count; ++i) {
      if (id[i] >= vocab_size_)
        throw Error("{}: token {} is {}, expected less than {}: damaged", path_.string(), from + i, id[i], vocab_size_);
      out[i] = static_cast<int32_t>(id[i]);
    }
  };
  if (id_bytes_ == 2) {
    copy(reinterpret_cast<const uint16_t*>(ids));
  } else {
    copy(reinterpret_cast<const uint32_t*>(ids));
  }
}

// ---- Writing --------------------------------------------------------------------------------------------------------

struct TokenFileWriter::State {
  Append append;
  uint32_t id_bytes;
  int32_t end_of_document;
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> hash{XXH3_createState(), XXH3_freeState};
  std::vector<std::byte> buffer = {};
  std::vector<uint64_t> ends = {};
  uint64_t size = 0;

  template <class T>
  void put(const T& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  }
  void flush() {
    XXH3_64bits_update(hash.get(), buffer.data(), buffer.size());
    append(buffer);
    buffer.clear();
  }
  uint64_t last_end() const { return ends.empty() ? 0 : ends.back(); }
};

TokenFileWriter::TokenFileWriter(const Tokenizer& tokenizer, Append append)
    : state_(std::make_unique<State>(State{std::move(append), id_bytes_for(tokenizer), tokenizer.end_of_document()})) {
  XXH3_64bits_reset(state_->hash.get());
  state_->put(Header{kMagic, kVersion, state_->id_bytes, tokenizer.hash()});
}
TokenFileWriter::~TokenFileWriter() = default;

void TokenFileWriter::add(std::span<const int32_t> tokens) {
  constexpr size_t kBuffer = size_t{1} << 20;
  State& s = *state_;
  for (const int32_t token : tokens) {
    if (s.id_bytes == 2) {
      s.put(static_cast<uint16_t>(token));
    } else {
      s.put(token);
    }
  }
  s.size += tokens.size();
  if (s.buffer.size() >= kBuffer) s.flush();
}

void TokenFileWriter::end_document() {
  State& s = *state_;
  if (s.size == s.last_end()) return;
  add(std::array{s.end_of_document});
  s.ends.push_back(s.size);
}

void TokenFileWriter::finish() {
  State& s = *state_;
  s.buffer.resize(s.buffer.size() + aligned(s.size * s.id_bytes) - s.size * s.id_bytes);
  s.flush();
  const auto ends = std::as_bytes(std::span(s.ends));
  XXH3_64bits_update(s.hash.get(), ends.data(), ends.size());
  s.append(ends);
  s.put(s.size);
  s.put(static_cast<uint64_t>(s.ends.size()));
  s.flush();
  s.put(XXH3_64bits_digest(s.hash.get()));
  s.flush();
}

int64_t TokenFileWriter::size() const { return static_cast<int64_t>(state_->size); }
int64_t TokenFileWriter::documents() const { return std::ssize(state_->ends); }

}  // namespace tinyllm
