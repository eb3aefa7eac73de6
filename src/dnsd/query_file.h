// QueryFile: a file that is appended to and never grows beyond a limit: what would not fit goes
// into a new one, and the one before is kept as FILE.1, that one's predecessor as FILE.2, and so
// on. A dnstap file is a frame stream of its own each time. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/dnsd_query_log.h"
#include "sys/fd.h"

namespace timepool::dnsd {

class QueryFile {
 public:
  // Errors: the file can't be opened.
  static Result<QueryFile> open(const config::DnsdQueryLogConfig& config);

  // Whole lines or frames. Errors: the file does not take them, or is full and can't be moved away;
  // then nothing of a file that is there is lost.
  Result<void> append(std::string_view text);
  // Writes what ends a stream, and closes.
  void finish();
  // Closes without: another process has the file open too.
  void leave() { file_.reset(); }

 private:
  explicit QueryFile(const config::DnsdQueryLogConfig& config);
  Result<void> begin();
  Result<void> begin_stream();
  Result<void> rotate();
  std::string name_of(unsigned number) const;

  std::string path_;
  bool dnstap_;
  unsigned keep_;
  std::uint64_t limit_;  // octets; 0: none
  sys::Fd file_;         // none: to be opened before the next write
  bool regular_ = true;
  bool unbegun_ = false;     // the stream has no START yet
  std::uint64_t size_ = 0;   // of the file
  std::uint64_t empty_ = 0;  // its size without any query
};

}  // namespace timepool::dnsd
