#include "run_display.h"

#include <fmt/format.h>

#include "interrupt.h"
#include "output.h"
#include "program.h"

#include <cmath>
#include <cstdio>
#include <system_error>

namespace tinyllm::cli {

RunDisplay::RunDisplay(RunOptions& options) {
  options.on_step = [this](const StepReport& report) { show(report); };
  options.on_validation = [this](const Validation& validation) {
    try {
      show(validation);
    } catch (const std::system_error&) {
      if (failure_ == nullptr) failure_ = std::current_exception();
    }
  };
  options.on_event = [this](const std::string& event) {
    bar_.reset();
    note(event + "\n");
  };
  options.should_stop = [this] { return interrupts > 0 || failure_ != nullptr; };
}

void RunDisplay::check() const {
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void RunDisplay::show(const StepReport& p) {
  if (!bar_ || shown_ != p.stage) {
    bar_.emplace(p.stage->name, p.all_steps);
    shown_ = p.stage;
  }
  // The most important first: a narrow terminal does not show all.
  std::string words =
      fmt::format("loss {:.3f}  left {}  {:.0f} tokens/s", p.loss, clock_time(p.seconds_left), p.tokens_per_second);
  if (p.validation_loss > 0) words += fmt::format("  validation perplexity {:.2f}", std::exp(p.validation_loss));
  words += fmt::format("  lr {:.1e}  gradient {:.2f}", p.learning_rate, p.grad_norm);
  if (p.fraction_of_peak > 0) words += fmt::format("  {:.0f} % of peak", 100 * p.fraction_of_peak);
  if (p.resident_bytes > 0) words += fmt::format("  {:.2f} GB", 1e-9 * static_cast<double>(p.resident_bytes));
  bar_->show(p.step, words);
}

void RunDisplay::show(const Validation& v) {
  bar_.reset();
  const std::string at = v.is_last ? "" : fmt::format(", step {}", v.step);
  if (std::isfinite(v.result.loss)) {
    print_text(fmt::format("{}{}: validation loss {:.4f}, perplexity {:.3f}, {:.3f} bits per byte\n", v.stage->name, at,
                           v.result.loss, v.result.perplexity(), v.result.bits_per_byte()));
  } else {
    print_text(fmt::format("{}{}: the validation loss is not finite\n", v.stage->name, at));
  }
  for (const SampleText& sample : v.samples) print_text(fmt::format("  {} ... {}\n", sample.prompt, sample.text));
}

}  // namespace tinyllm::cli
