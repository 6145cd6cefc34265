#pragma once

#include <tinyllm/runtime/serve/call.h>
#include <tinyllm/runtime/serve/job.h>
#include <tinyllm/runtime/serve/limits.h>
#include <tinyllm/runtime/serve/metrics.h>
#include <tinyllm/runtime/serve/records.h>

#include <memory>

namespace tinyllm {

/// A job's listener with what the server wants of every job: the tokens of its key are reserved when it is made and
/// settled when it is gone, wherever that is, and the audit log hears how its answers ended.
class ServedJob final : public JobListener {
 public:
  /// Throws ApiError when the key has no tokens left. The references must outlive it.
  ServedJob(const Job& job, std::shared_ptr<Call> call, Limits& limits, const Records& records);
  ~ServedJob() override;

  void refused(const ApiError& error) override { listener_->refused(error); }
  void began() override { listener_->began(); }
  void on_part(AnswerPart&& part) override;
  void on_end(AnswerEnd&& end) override;
  void on_chain(int64_t ended, int64_t samples) override { listener_->on_chain(ended, samples); }
  void still_there() override { listener_->still_there(); }
  void broke(const std::string& error) override;
  /// Called then.
  std::function<void()> on_broken;

 private:
  std::shared_ptr<JobListener> listener_;
  std::shared_ptr<Call> call_;
  Limits& limits_;
  const bool keeps_contents_;
  Limits::Reservation reservation_;
  int64_t used_ = 0;
  std::vector<std::string> contents_;
};

/// Has every question to the constraint of a job counted, if it has one. The histogram must outlive the job.
void time_constraint(Job& job, Histogram& seconds);

}  // namespace tinyllm
