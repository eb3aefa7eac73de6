// Child processes: started with their output in a pipe or file, ended with their parent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace timepool::sys {

// The kernel sends this process SIGTERM when its parent ends (prctl PR_SET_PDEATHSIG). Used by the
// programs when TIMEPOOL_DIE_WITH_PARENT is set, and for children in start_process().
void die_with_parent();

struct ProcessOptions {
  std::vector<std::string> argv;         // argv[0] is the program's path or name
  std::vector<std::string> environment;  // "NAME=value", added to ours
  std::string working_directory;         // empty: ours
  // Standard output and error go there; -1: ours.
  int output_fd = -1;
  // In a process group of its own: the terminal's Ctrl-C reaches only us, and we end the child.
  bool own_group = false;
};

// A running child. Destroyed while it runs, it is killed and waited for.
class Process {
 public:
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  // The child gets SIGTERM when the starting thread ends. An unknown program is an error here.
  static Result<Process> start(const ProcessOptions& options);

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // The wait status once it ended (waitpid, WNOHANG); nothing while it runs.
  std::optional<int> poll_exit();
  // Waits for the end.
  int wait();

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

// "exit status 3", "killed by signal 9 (Killed)"
std::string describe_exit(int wait_status);

}  // namespace timepool::sys
