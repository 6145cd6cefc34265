#include <tinyllm/runtime/generate.h>

#include <tinyllm/runtime/batcher.h>

namespace tinyllm {

std::vector<Completion> generate(Session& session, std::span<const Request> requests, const OnText& on_text) {
  std::vector<Completion> completions(requests.size());
  Batcher batcher(session);
  for (size_t i = 0; i < requests.size(); ++i) {
    Request request = requests[i];
    if (on_text) request.on_text = [&on_text, i](std::string_view text, const Completion&) { return on_text(i, text); };
    request.on_done = [&completions, i](Completion completion) { completions[i] = std::move(completion); };
    batcher.submit(std::move(request));
  }
  while (batcher.step()) {
  }
  for (const Completion& completion : completions) {
    if (completion.finish_reason == FinishReason::failed) throw Error("{}", completion.error);
  }
  return completions;
}

}  // namespace tinyllm
