// Logger: lines to standard error with systemd's "<N>" level prefix when it reads them, else with
// the level's name. Passed by reference; one call writes one line and may come from any thread.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>

#include "base/time.h"

namespace timepool::sys {

enum class LogLevel : unsigned char { kError, kWarning, kInfo, kDebug };

std::string_view name_of(LogLevel level);

class Logger {
 public:
  enum class Format : unsigned char { kPlain, kJournal };

  // `program` begins each plain line. The format is kJournal when systemd set JOURNAL_STREAM.
  explicit Logger(std::string program, LogLevel level = LogLevel::kInfo, int fd = 2);

  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  bool enabled(LogLevel level) const { return level <= this->level(); }

  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    log(LogLevel::kError, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    log(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    log(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    log(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }

  // Control characters in `text` (names and texts of strangers) are written as \xNN.
  void write(LogLevel level, std::string_view text);

 private:
  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
  }

  std::string program_;
  Format format_;
  std::atomic<LogLevel> level_;
  int fd_;
};

// Lets at most `burst` events through per `interval` and counts the others. One thread.
class LogLimit {
 public:
  LogLimit(int burst, Duration interval) : burst_(burst), interval_(interval) {}
  // True if this event may be logged; `suppressed()` says how many were not since the last that
  // was.
  bool allow(MonoTime now);
  std::uint64_t suppressed() const { return last_suppressed_; }

 private:
  int burst_;
  Duration interval_;
  MonoTime start_;
  bool started_ = false;
  int used_ = 0;
  std::uint64_t suppressed_ = 0;
  std::uint64_t last_suppressed_ = 0;
};

}  // namespace timepool::sys
