#include <tinyllm/train/monitor/metrics.h>

#include <tinyllm/tensor/base/file.h>

#include <nlohmann/json.hpp>

#include <cmath>

namespace tinyllm {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no numbers for what is not finite.
Json to_json(double number) { return std::isfinite(number) ? Json(number) : Json(fmt::format("{}", number)); }

Json to_json(const decltype(Metric::second)& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return *whole;
  if (const auto* yes = std::get_if<bool>(&value)) return *yes;
  if (const auto* number = std::get_if<double>(&value)) return to_json(*number);
  if (const auto* number = std::get_if<float>(&value)) return to_json(static_cast<double>(*number));
  return std::get<std::string>(value);
}

std::string text_of(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The lines of a log up to a step.
std::string lines_until(std::string_view log, int64_t step) {
  std::string kept;
  while (!log.empty()) {
    const size_t end = log.find('\n');
    if (end == std::string_view::npos) break;
    const Json line = Json::parse(log.substr(0, end), nullptr, false);
    if (line.is_object() && line.value("step", int64_t{0}) <= step) kept += log.substr(0, end + 1);
    log.remove_prefix(end + 1);
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::optional<int64_t> step) : path_(path) {
  write_file(path, step && std::filesystem::exists(path) ? lines_until(read_file(path), *step) : std::string());
  file_.open(path, std::ios::app);
  if (!file_) throw Error("{}: cannot be written", path.string());
}

void MetricsLog::write(const std::string& line) {
  file_ << line << '\n' << std::flush;
  if (!file_) throw Error("{}: cannot be written", path_.string());
}

void MetricsLog::describe(const std::vector<std::pair<std::string, std::string>>& run) {
  Json settings = Json::object();
  for (const auto& [name, value] : run) settings[name] = value;
  write(text_of({{"step", 0}, {"run", settings}}));
}

void MetricsLog::describe(const std::vector<DataPart>& mix) {
  Json parts = Json::array();
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
  Json line = {{"step", step}};
  for (const auto& [name, value] : fields) line[std::string(name)] = to_json(value);
  write(text_of(line));
}

}  // namespace tinyllm
