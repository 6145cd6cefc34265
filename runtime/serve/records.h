#pragma once

#include <tinyllm/runtime/serve/call.h>
#include <tinyllm/runtime/serve/journal.h>
#include <tinyllm/runtime/serve/metrics.h>

#include <memory>

namespace tinyllm {

/// What is written down of requests: counters, the access log (a line for each request) and the audit log (a line for
/// each request that was refused or answered by a model). Lines are JSON. For any number of threads.
class Records {
 public:
  /// An empty path: that log is not kept. Throws Error.
  Records(const std::filesystem::path& access_log, const std::filesystem::path& audit_log, bool audits_contents,
          ServerMetrics& metrics);

  /// A request that was refused, with this id, before its body was read.
  void refused(const HttpRequest& request, const ApiError& error, const std::string& id);
  /// A request whose reply has ended.
  void done(const Call& call, int status, uint64_t bytes);

  bool audits_contents() const { return audit_ != nullptr && audits_contents_; }

 private:
  void write(Journal* journal, const std::string& line);

  std::unique_ptr<Journal> access_, audit_;
  const bool audits_contents_;
  ServerMetrics& metrics_;
};

}  // namespace tinyllm
