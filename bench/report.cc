#include "report.h"

#include <tinyllm/tensor/base/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace tinyllm::bench {
namespace {

std::string cell(const Json& row, const Column& column) {
  const auto value = row.find(column.key);
  if (value == row.end() || value->is_null()) return "";
  if (value->is_string()) return value->get<std::string>();
  return fmt::format("{:.{}f}", value->get<double>() * column.scale, column.digits);
}

}  // namespace

void Report::line(const std::string& text) const {
  if (!is_quiet_) fmt::print("{}\n", text);
}

void Report::print(const Json& rows, std::span<const Column> columns) const {
  if (is_quiet_) return;
  std::vector<std::string> lines(rows.size() + 1);
  for (const Column& column : columns) {
    std::vector<std::string> cells = {column.heading};
    bool is_text = false;
    for (const Json& row : rows) {
      cells.push_back(cell(row, column));
      is_text |= row.contains(column.key) && row[column.key].is_string();
    }
    size_t width = 0;
    for (const std::string& text : cells) width = std::max(width, text.size());
    for (size_t i = 0; i < cells.size(); ++i) {
      lines[i] += is_text ? fmt::format("{:<{}}  ", cells[i], width) : fmt::format("{:>{}}  ", cells[i], width);
    }
  }
  for (const std::string& text : lines) fmt::print("{}\n", text);
  std::fflush(stdout);
}

void Report::table(const std::string& key, const Json& rows, std::span<const Column> columns) {
  Json& all = all_[key];
  for (const Json& row : rows) all.push_back(row);
  print(rows, columns);
}

void Report::peaks(const Peaks& peaks, int threads) {
  constexpr Column kColumns[] = {
      {"threads", "threads"},      {"fp32_gflops", "FP32 GFLOP/s"},        {"bf16_gflops", "BF16 GFLOP/s"},
      {"int8_gops", "INT8 GOP/s"}, {"read_gbytes", "memory read GB/s", 1}, {"update_gbytes", "read+write GB/s", 1}};
  const Json row = {{"threads", threads},
                    {"fp32_gflops", peaks.fp32 / 1e9},
                    {"bf16_gflops", peaks.bf16 / 1e9},
                    {"int8_gops", peaks.int8 / 1e9},
                    {"read_gbytes", peaks.read / 1e9},
                    {"update_gbytes", peaks.update / 1e9}};
  table("peaks", Json::array({row}), kColumns);
}

void add_precision(CLI::App& app, Precision& precision) {
  const auto choose = [&precision](const std::string& name) { precision = *parse_name<Precision>(name); };
  app.add_option_function<std::string>("--precision", choose, "Of matrix products")
      ->check(CLI::IsMember({name_of(Precision::fp32), name_of(Precision::bf16)}))
      ->default_str(name_of(precision));
}

int run_program(CLI::App& app, int argc, char** argv, const std::function<void(Report&)>& body) {
  Report report;
  const CLI::Option* json =
      app.add_option("--json", report.file_, "Write JSON into FILE; without one, print it in place of the tables")
          ->expected(0, 1)
          ->type_name("[FILE]");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  report.is_quiet_ = json->count() > 0 && report.file_.empty();
  try {
    body(report);
    if (report.is_quiet_) fmt::print("{}\n", report.all_.dump(2));
    if (!report.file_.empty() && !(std::ofstream(report.file_) << report.all_.dump(2) << "\n")) {
      throw Error("{}: cannot be written", report.file_);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace tinyllm::bench
