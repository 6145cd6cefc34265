// The log of a run that goes on, and the page made of it.
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/monitor/metrics.h>
#include <tinyllm/train/monitor/report_page.h>

#include "fuzz/fuzz.h"

#include <fstream>

void tinyllm::test::fuzz(std::string_view bytes) {
  const auto path = memory_folder() / "metrics.jsonl";
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  may_refuse([&] {
    MetricsLog log(path, 5);
    log.add(6, {{"loss", 1.5}});
    report_page(read_file(path));
  });
}
