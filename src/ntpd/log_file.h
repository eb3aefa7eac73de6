// LogFile: a text file that lines are appended to, with a heading where it begins and every so many
// lines. It is opened with the first line, and anew after reopen(), when something has moved it
// away. Lines are kept until there are kBuffer bytes of them or flush() is called. What can't be
// written is counted and dropped, and told of once until writing works again. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sys/fd.h"
#include "sys/log.h"

namespace timepool::ntpd {

class LogFile {
 public:
  // Some forty lines.
  static constexpr std::size_t kBuffer = 4096;

  // `heading` is one line; `banner` is how many lines come between two of it, 0 for only one.
  LogFile(std::string path, std::string heading, int banner, sys::Logger& logger)
      : path_(std::move(path)), heading_(std::move(heading)), banner_(banner), logger_(logger) {}
  ~LogFile() { flush(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Without its end.
  void append(std::string_view line);
  void flush();
  // Writes what is kept and closes the file.
  void reopen();

  const std::string& path() const { return path_; }
  bool pending() const { return !buffer_.empty(); }
  // Lines written, and those that could not be.
  std::uint64_t written() const { return written_; }
  std::uint64_t lost() const { return lost_; }

 private:
  bool open();
  void add_heading();
  bool write_all();
  void failed(const Error& error);

  std::string path_;
  std::string heading_;
  int banner_;
  sys::Logger& logger_;
  sys::Fd fd_;
  std::string buffer_;
  std::uint64_t lines_ = 0;  // in the buffer
  int until_heading_ = 0;    // 0: with the next line
  bool told_ = false;
  std::uint64_t written_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace timepool::ntpd
