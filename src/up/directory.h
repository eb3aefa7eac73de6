// The directory of a pool that `timepool up` runs: made, locked against a second run, and removed
// in the end when it was a temporary one.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace timepool::up {

class PoolDirectory {
 public:
  // Makes it, with its subdirectories. Errors: the system's; kUnavailable while another run uses
  // it; kInvalid when its path is too long for the control sockets.
  static Result<PoolDirectory> open(const std::optional<std::string>& path);
  PoolDirectory(PoolDirectory&& other) noexcept;
  // Removes a temporary one.
  ~PoolDirectory();

  const std::string& path() const { return path_; }
  bool temporary() const { return temporary_; }

 private:
  PoolDirectory(std::string path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}

  std::string path_;
  bool temporary_;
  sys::Fd lock_;
};

}  // namespace timepool::up
