#include "sys/log.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace timepool::sys {
namespace {

// Longest line written; the rest is cut. Journald's own limit is 48 KiB.
constexpr std::size_t kMaxLine = 8 << 10;

// sd-daemon.h: the levels of syslog.
int syslog_level(LogLevel level) {
  constexpr std::array<int, 4> kLevels{3, 4, 6, 7};
  return kLevels[static_cast<std::size_t>(level)];
}

void append_printable(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
    if (out.size() >= kMaxLine) return;
  }
}

}  // namespace

std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames{"error", "warning", "info", "debug"};
  return kNames[static_cast<std::size_t>(level)];
}

Logger::Logger(std::string program, LogLevel level, int fd)
    : program_(std::move(program)),
      format_(::getenv("JOURNAL_STREAM") != nullptr ? Format::kJournal : Format::kPlain),
      level_(level),
      fd_(fd) {}

void Logger::write(LogLevel level, std::string_view text) {
  std::string line;
  line.reserve(text.size() + 64);
  if (format_ == Format::kJournal) {
    line = fmt::format("<{}>", syslog_level(level));
  } else {
    line = fmt::format("{}: {}: ", program_, name_of(level));
  }
  append_printable(line, text);
  line += '\n';
  // One write per line keeps the lines of threads apart. A log that can't be written is lost.
  const ssize_t written = ::write(fd_, line.data(), line.size());
  static_cast<void>(written);
}

bool LogLimit::allow(MonoTime now) {
  if (!started_ || now - start_ >= interval_) {
    started_ = true;
    start_ = now;
    used_ = 0;
  }
  if (used_ >= burst_) {
    ++suppressed_;
    return false;
  }
  ++used_;
  last_suppressed_ = suppressed_;
  suppressed_ = 0;
  return true;
}

}  // namespace timepool::sys
