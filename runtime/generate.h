#pragma once

#include <tinyllm/runtime/request.h>

namespace tinyllm {

/// Called after each pass with the text that it completed, perhaps none. Return false to end the answer there.
using OnText = std::function<bool(size_t request, std::string_view text)>;

/// Answers requests together with a `Batcher`, and returns when all have ended. A completion depends on its own request
/// alone, to the bit. Throws Error, before it begins, on an empty prompt, on one that leaves no room in the context,
/// and on invalid options; and when a request fails.
std::vector<Completion> generate(Session& session, std::span<const Request> requests, const OnText& on_text = {});

}  // namespace tinyllm
