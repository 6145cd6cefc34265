// A plan tried on a model of the tree. Not installed: agent.h has `Agent::preview`.
#pragma once

#include <tinyllm/runtime/agent/preview.h>
#include <tinyllm/runtime/agent/tree.h>

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace tinyllm::agent {

class DryRun {
 public:
  DryRun(const Root& root, const Guard& guard, const Policy& policy);

  /// Throws AgentError at the first step that cannot be done; the message begins with its number.
  Preview run(const Plan& plan);

 private:
  struct Match {
    Node* node;
    std::string path;
  };
  struct Asked {
    std::string_view path;
    Guard::Use use;
  };
  struct Renaming {
    Node* node;
    std::string from, to;
  };

  void run_step(const Step& step, StepPreview& out);

  // Several paths of one step; of several reasons to refuse it the one with precedence is given.
  std::vector<Place> places(std::initializer_list<Asked> asked) const;
  // What a glob takes. Denied and hidden entries are skipped, and counted in the notes; links are never followed.
  std::vector<Match> select(const Step& step, StepPreview& out);
  bool passes(const Filters& filters, const Node& node, const std::string& path, std::span<const Glob> except) const;
  // Checks and counts everything in a tree that is taken whole, also under its new path.
  struct Tally {
    int64_t files = 0, folders = 0, bytes = 0;
  };
  enum class Links { may_be, refused };
  Tally take_whole(Node& node, const std::string& path, const std::string& to, Links links);
  void watch(const Node& node, int64_t entries = -1);
  // Actions that make the folders above a path.
  void make_folders(std::string_view folder, StepPreview& out);
  Node& regular_file(const std::string& path);
  // Throws AgentError with `exists` unless the place is free or may be replaced, which is then added to `out`.
  void clear_place(const std::string& to, bool overwrite, StepPreview& out);
  void add(Action action, StepPreview& out);

  void create(const Step& step, StepPreview& out);
  void update(const Step& step, StepPreview& out);
  void tag(const Step& step, StepPreview& out);
  void replace_text(Node& node, const std::string& path, std::string bytes, StepPreview& out);
  void read(const Step& step, StepPreview& out);
  void list(const Step& step, StepPreview& out);
  void compress(const Step& step, StepPreview& out);
  void extract(const Step& step, StepPreview& out);
  void remove(const Step& step, StepPreview& out);
  void remove_tree(Node& node, const std::string& path, StepPreview& out);
  void move(const Step& step, StepPreview& out);
  void move_to(Node& node, const std::string& from, const std::string& to, bool overwrite, StepPreview& out);
  void copy(const Step& step, StepPreview& out);
  void copy_to(Node& node, const std::string& from, const std::string& to, bool overwrite, StepPreview& out);
  void classify(const Step& step, StepPreview& out);
  std::string free_name(const std::string& path);
  std::vector<Renaming> renamings(const Step& step, StepPreview& out);
  void rename(std::span<const Step> batch, StepPreview& out);

  Tree tree_;
  const Policy& policy_;
  Preview preview_;
};

/// The folder of a rule or the template of a rename with its fields filled in; empty if the file lacks one. Fields:
/// {stem}, {ext}, {yyyy}, {mm}, {dd} and {n} or {n:3}, the number with that many digits; {stem:lower}, {ext:upper}.
/// `dotted`: {ext} has its dot.
std::string filled(std::string_view text, std::string_view name, int64_t modified, int64_t number, bool dotted);

}  // namespace tinyllm::agent
