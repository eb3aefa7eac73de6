#include "dnsd/query_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "dnsd/query_text.h"

namespace timepool::dnsd {
namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(system_error(errno, "write"));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

QueryFile::QueryFile(const config::DnsdQueryLogConfig& config)
    : path_(config.file),
      dnstap_(config.format == config::QueryLogFormat::kDnstap),
      keep_(config.keep),
      limit_(config.max_megabytes * kMegabyte) {}

Result<QueryFile> QueryFile::open(const config::DnsdQueryLogConfig& config) {
  QueryFile out(config);
  TRY(out.begin());
  return out;
}

Result<void> QueryFile::begin() {
  sys::Fd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0640));
  if (!file) return fail(system_error(errno, "[query_log] file " + path_));
  struct stat info{};
  if (::fstat(file.number(), &info) != 0) return fail(system_error(errno, "stat " + path_));
  // A device or a pipe has no size, and can't be moved away.
  regular_ = S_ISREG(info.st_mode);
  size_ = regular_ ? static_cast<std::uint64_t>(info.st_size) : 0;
  empty_ = 0;
  unbegun_ = dnstap_;
  file_ = std::move(file);
  return {};
}

// Not before something is written: whoever had the file before has ended its stream by then.
Result<void> QueryFile::begin_stream() {
  if (!std::exchange(unbegun_, false)) return {};
  if (regular_ && ::ftruncate(file_.number(), 0) != 0) {
    return fail(system_error(errno, "truncate " + path_));
  }
  const std::string start = dnstap_start();
  size_ = empty_ = start.size();
  return write_all(file_.number(), start);
}

Result<void> QueryFile::append(std::string_view text) {
  if (!file_) TRY(begin());
  TRY(begin_stream());
  // Room for the end of a stream, too.
  const std::uint64_t more = text.size() + (dnstap_ ? dnstap_stop().size() : 0);
  if (regular_ && limit_ != 0 && size_ + more > limit_ && size_ > empty_) {
    TRY(rotate());
    TRY(begin_stream());
  }
  TRY(write_all(file_.number(), text));
  size_ += text.size();
  return {};
}

std::string QueryFile::name_of(unsigned number) const {
  return number == 0 ? path_ : path_ + '.' + std::to_string(number);
}

Result<void> QueryFile::rotate() {
  for (unsigned number = keep_; number > 0; --number) {
    if (::rename(name_of(number - 1).c_str(), name_of(number).c_str()) == 0) continue;
    // Fewer are there than may be, or somebody took the file away.
    if (errno != ENOENT) return fail(system_error(errno, "move to " + name_of(number)));
  }
  finish();
  return begin();
}

void QueryFile::finish() {
  if (!file_) return;
  // What fails here was told when it failed before.
  if (dnstap_ && begin_stream().ok()) {
    static_cast<void>(write_all(file_.number(), dnstap_stop()));
  }
  file_.reset();
}

}  // namespace timepool::dnsd
