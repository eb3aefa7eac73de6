#include "ntpd/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace timepool::ntpd {

void LogFile::append(std::string_view line) {
  if (!fd_ && lines_ == 0 && !open()) {
    ++lost_;
    return;
  }
  if (until_heading_ == 0) add_heading();
  buffer_.append(line);
  buffer_ += '\n';
  ++lines_;
  if (banner_ > 0) --until_heading_;
  if (buffer_.size() >= kBuffer) flush();
}

bool LogFile::open() {
  fd_.reset(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  if (!fd_) {
    failed(system_error(errno, "open " + path_));
    return false;
  }
  struct stat info{};
  const bool old = ::fstat(fd_.number(), &info) == 0 && info.st_size > 0;
  // A file that goes on has its heading, unless they are repeated.
  until_heading_ = old && banner_ == 0 ? std::numeric_limits<int>::max() : 0;
  return true;
}

void LogFile::add_heading() {
  const std::string rule(heading_.size(), '=');
  buffer_ += rule + "\n" + heading_ + "\n" + rule + "\n";
  until_heading_ = banner_ > 0 ? banner_ : std::numeric_limits<int>::max();
}

void LogFile::flush() {
  if (buffer_.empty()) return;
  if (write_all()) {
    written_ += lines_;
    if (told_) logger_.info("{} is written again; {} lines are lost", path_, lost_);
    told_ = false;
  } else {
    lost_ += lines_;
    // A new descriptor: what it stood on may be mounted anew.
    fd_.reset();
  }
  buffer_.clear();
  lines_ = 0;
}

bool LogFile::write_all() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_.number(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      failed(system_error(errno, "write " + path_));
      return false;
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void LogFile::reopen() {
  flush();
  fd_.reset();
}

void LogFile::failed(const Error& error) {
  if (!told_) logger_.error("[log] directory: {}; lines are lost until it works", error.text());
  told_ = true;
}

}  // namespace timepool::ntpd
