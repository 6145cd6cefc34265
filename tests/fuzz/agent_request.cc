// A request in words to the file agent. What comes out as a plan is one that can be read.
#include <tinyllm/runtime/agent/plan.h>
#include <tinyllm/runtime/agent/planner.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const std::vector<std::string> listing = {"a.txt", "docs/",     "docs/b.md", "downloads/", "downloads/c (1).pdf",
                                            "照片/", "照片/d.JPG"};
  const agent::Proposal proposal = agent::propose(bytes, listing, "/root", 1'800'000'000'000'000'000);
  if (proposal.kind != agent::Proposal::Kind::plan) return;
  may_refuse([&] { agent::parse_plan(proposal.text, 0); });
}
