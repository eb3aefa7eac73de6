// Supervisor: the child processes of `timepool up`. Each writes to a file of its own; one that ends
// by itself is reported with its last lines and started again after a while, unless it fails at
// once three times in a row. All of them end with this process.
#pragma once

#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/result.h"
#include "base/time.h"
#include "sys/process.h"
#include "up/display.h"

namespace timepool::up {

struct ChildSpec {
  std::string name;
  std::vector<std::string> argv;
  boost::json::object details;                // told when it starts: its role, its address
  std::vector<std::string> environment = {};  // "NAME=value", added to ours
};

class Supervisor {
 public:
  // Logs go to `log_directory`/NAME.log, after what is there already.
  Supervisor(std::string log_directory, Display& display)
      : log_directory_(std::move(log_directory)), display_(display) {}
  ~Supervisor() { stop_all(); }

  // Errors: the program is not there or can't be run.
  Result<void> start(ChildSpec spec);
  // Looks for children that ended and starts again those whose time has come. Errors: one that
  // failed at once three times, with its last lines.
  Result<void> tick(MonoTime now);
  bool runs(const std::string& name) const;
  // The end of a child's log, for an error text.
  std::string last_lines(const std::string& name) const;
  // SIGTERM to all, SIGKILL to those who are still there after the grace. Idempotent.
  void stop_all();

 private:
  static constexpr int kMaxQuickFailures = 3;
  static constexpr Duration kQuick = Duration::seconds(2);
  static constexpr Duration kGrace = Duration::seconds(5);

  struct Child {
    ChildSpec spec;
    std::optional<sys::Process> process;
    MonoTime started;
    MonoTime restart_at;
    int quick_failures = 0;
    Backoff backoff;
  };

  Result<void> launch(Child& child);
  Result<void> ended(Child& child, int status, MonoTime now);
  std::string log_path(const std::string& name) const {
    return log_directory_ + "/" + name + ".log";
  }

  std::string log_directory_;
  Display& display_;
  std::vector<Child> children_;
};

}  // namespace timepool::up
