// FileWatch: when something in some directories is made, written, moved or removed, by inotify. It
// says that there was something, not what: who asks looks at the files anyhow. One thread.
#pragma once

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace timepool::sys {

class FileWatch {
 public:
  // Errors: the system's, who gives each user a number of these.
  static Result<FileWatch> create();

  // Also `directory`; one that is watched already is no error. Of one that is removed nothing more
  // is told. Errors: the system's.
  Result<void> add(const std::string& directory);
  // Ready to read when there is something.
  int fd() const { return fd_.number(); }
  // Takes all that there is; true when there was anything. Does not block.
  bool take();

 private:
  explicit FileWatch(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace timepool::sys
