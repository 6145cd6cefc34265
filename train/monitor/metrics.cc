#include <tinyllm/train/monitor/metrics.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/monitor/metrics_line.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

namespace tinyllm {
namespace {

// JSON cannot express numbers that are not finite.
MetricsLine to_json(double number) {
  return std::isfinite(number) ? MetricsLine(number) : MetricsLine(fmt::format("{}", number));
}

MetricsLine to_json(const decltype(Metric::second)& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return *whole;
  if (const auto* yes = std::get_if<bool>(&value)) return *yes;
  if (const auto* number = std::get_if<double>(&value)) return to_json(*number);
  if (const auto* number = std::get_if<float>(&value)) return to_json(static_cast<double>(*number));
  return std::get<std::string>(value);
}

std::string text_of(const MetricsLine& line) {
  return line.dump(-1, ' ', false, MetricsLine::error_handler_t::replace);
}

// Copies the lines of a log up to a step. Returns how many lines are not metrics; `first` is the number of the first.
size_t copy_until(std::string_view log, int64_t step, const Append& append, size_t& first) {
  size_t bad = 0;
  for (size_t number = 1; !log.empty(); ++number) {
    const size_t end = log.find('\n');
    if (end == std::string_view::npos) break;
    const auto line = parse_metrics_line(log.substr(0, end));
    if (!line && bad++ == 0) first = number;
    if (line && line->at("step").get<int64_t>() <= step) append(std::as_bytes(std::span(log.substr(0, end + 1))));
    log.remove_prefix(end + 1);
  }
  return bad;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::optional<int64_t> step,
                       const std::function<void(const std::string&)>& on_event)
    : path_(path) {
  size_t bad = 0, first = 0;
  write_file(path, [&](const Append& append) {
    if (step && is_there(path)) bad = copy_until(MappedFile(path).text(), *step, append, first);
  });
  if (bad > 0 && on_event) {
    on_event(fmt::format("{}: {} removed that {} not metrics, first at line {}", path.string(),
                         bad == 1 ? "1 line was" : fmt::format("{} lines were", bad), bad == 1 ? "is" : "are", first));
  }
  file_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0) throw Error("{}: cannot be written: {}", path.string(), std::strerror(errno));
}

MetricsLog::~MetricsLog() {
  if (file_ >= 0) close(file_);
}

void MetricsLog::write(std::string line) {
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

void MetricsLog::sync() {
  if (fdatasync(file_) != 0) throw Error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

void MetricsLog::describe(const std::vector<std::pair<std::string, std::string>>& run) {
  MetricsLine settings = MetricsLine::object();
  for (const auto& [name, value] : run) settings[name] = value;
  write(text_of({{"step", 0}, {"run", settings}}));
}

void MetricsLog::describe(const std::vector<DataPart>& mix) {
  MetricsLine parts = MetricsLine::array();
  for (const DataPart& part : mix) {
    parts.push_back({{"name", part.name},
                     {"weight", part.weight},
                     {"share", part.share},
                     {"samples", part.samples},
                     {"tokens", part.tokens}});
  }
  write(text_of({{"step", 0}, {"mix", parts}}));
}

void MetricsLog::add(int64_t step, const std::vector<Metric>& fields) {
  MetricsLine line = {{"step", step}};
  for (const auto& [name, value] : fields) line[std::string(name)] = to_json(value);
  write(text_of(line));
}

}  // namespace tinyllm
