// A configuration file of the file agent, in YAML or JSON.
#include <tinyllm/runtime/agent/policy.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  may_refuse([&] { agent::parse_policy(bytes, "/folder"); });
}
