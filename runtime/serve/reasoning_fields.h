// Fields of a request that are about reasoning. Only for sources that may include nlohmann/json.
#pragma once

#include <tinyllm/runtime/serve/ask.h>

namespace tinyllm {

/// Reads `self_consistency` into the vote of the job. Throws ApiError, also together with what has no meaning for it:
/// n, logprobs, tools, and temperature 0 for several chains. `ask` has its sampling and its calls already.
void read_vote(const Fields& fields, Ask& ask);

/// Lets only right results follow the equations of the job's answers, whose prompt it has already. Throws ApiError when
/// a form restricts them already.
void set_calculator(const Engine& engine, Job& job);

}  // namespace tinyllm
