// SourceFiles: the files in which other programs (DHCP clients, an operator's scripts) name time
// sources: every *.toml of the directories of [sources] directories, with [[server]] and [[pool]]
// tables. A file that is wrong leaves its sources as they were. Main thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/ntpd.h"
#include "sys/log.h"

namespace timepool::ntpd {

class SourceFiles {
 public:
  explicit SourceFiles(sys::Logger& logger) : logger_(logger) {}

  // Looks whether a file came, changed or went since, and reads what did. True when there are other
  // sources now. A directory that is not there has no files. Logs what is wrong with a file once.
  bool look(const std::vector<std::string>& directories);

  // Of all files, in the order of the directories and of the files' names.
  std::vector<config::NtpSourceConfig> servers() const;
  std::vector<config::NtpSourceConfig> pools() const;
  // What is wrong now, one text for each file that is.
  std::vector<std::string> problems() const;

 private:
  // What tells that a file may have changed without reading it.
  struct Stamp {
    std::int64_t modified = 0;  // nanoseconds
    std::int64_t changed = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    Stamp stamp;
    config::NtpSourceFile sources;  // the last good ones
    std::string problem;
  };
  using Stamps = std::map<std::pair<std::size_t, std::string>, Stamp>;
  Stamps list(const std::vector<std::string>& directories);
  bool read(const std::string& path, File& file);
  void tell(const std::string& path, const std::string& problem);

  sys::Logger& logger_;
  std::map<std::pair<std::size_t, std::string>, File> files_;  // by directory and path
  std::map<std::string, std::string> told_;
};

}  // namespace timepool::ntpd
