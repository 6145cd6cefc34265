#include <tinyllm/train/data/samples.h>

#include <tinyllm/tensor/base/error.h>

#include <cerrno>
#include <cstring>
#include <iterator>

namespace tinyllm {

namespace fs = std::filesystem;

SampleReader::SampleReader(fs::path path, SampleOptions options)
    : path_(std::move(path)), options_(std::move(options)), file_(path_, std::ios::binary) {
  if (!file_) throw Error("{}: cannot be opened: {}", path_.string(), std::strerror(errno));
}

// The next line without its end.
bool SampleReader::read_line() {
  line_.clear();
  line_size_ = 0;
  int letter = 0;
  try {
    std::streambuf& in = *file_.rdbuf();
    while ((letter = in.sbumpc()) != EOF && letter != '\n' && letter != '\r') {
      if (++line_size_ <= options_.max_line) line_ += static_cast<char>(letter);
    }
    if (letter == '\r' && in.sgetc() == '\n') {
      in.sbumpc();
      ++counts_.bytes;
    }
  } catch (const std::ios_base::failure& error) {
    throw Error("{}: cannot be read: {}", path_.string(), error.code().message());
  }
  if (letter == EOF && line_size_ == 0) return false;
  counts_.bytes += static_cast<int64_t>(line_size_) + (letter == EOF ? 0 : 1);
  if (counts_.lines == 0 && line_.starts_with("\xEF\xBB\xBF")) line_.erase(0, 3);
  ++counts_.lines;
  return true;
}

std::optional<AnySample> SampleReader::parse_line() {
  try {
    if (line_size_ > options_.max_line) {
      throw Error("has {} bytes, expected at most {}", line_size_, options_.max_line);
    }
    ParsedSample parsed = parse_sample(line_, counts_.form);
    counts_.form = parsed.form;
    ++counts_.samples;
    for (const std::string& field : parsed.ignored) {
      constexpr size_t kMostNames = 100;
      if (counts_.ignored.size() < kMostNames || counts_.ignored.contains(field)) ++counts_.ignored[field];
    }
    return std::move(parsed.sample);
  } catch (const Error& error) {
    if (!options_.on_bad) throw Error("{}: line {}: {}", path_.string(), counts_.lines, error.what());
    ++counts_.bad;
    options_.on_bad(counts_.lines, error.what());
    return {};
  }
}

std::optional<AnySample> SampleReader::next() {
  while (read_line()) {
    if (line_.find_first_not_of(" \t") == std::string::npos) continue;
    if (std::optional<AnySample> sample = parse_line()) return sample;
  }
  return {};
}

std::string ignored_fields(const SampleCounts& counts) {
  std::string text;
  for (const auto& [field, samples] : counts.ignored) {
    fmt::format_to(std::back_inserter(text), "{}{} ({} {})", text.empty() ? "" : ", ", field, samples,
                   samples == 1 ? "sample" : "samples");
  }
  return text;
}

template <class T>
std::vector<T> read_samples(const fs::path& path, const SampleOptions& options, SampleCounts* counts) {
  SampleReader reader(path, options);
  std::vector<T> samples;
  while (std::optional<AnySample> sample = reader.next()) {
    if (!std::holds_alternative<T>(*sample)) {
      throw Error("{}: holds samples of the form {}, which cannot be used here", path.string(),
                  text_of(*reader.counts().form));
    }
    samples.push_back(std::get<T>(std::move(*sample)));
  }
  if (samples.empty()) {
    throw Error("{}: holds no sample: {} lines, {} of them bad", path.string(), reader.counts().lines,
                reader.counts().bad);
  }
  if (counts != nullptr) *counts = reader.counts();
  return samples;
}

template std::vector<Messages> read_samples(const fs::path&, const SampleOptions&, SampleCounts*);
template std::vector<Preference> read_samples(const fs::path&, const SampleOptions&, SampleCounts*);
template std::vector<Choice> read_samples(const fs::path&, const SampleOptions&, SampleCounts*);

}  // namespace tinyllm
