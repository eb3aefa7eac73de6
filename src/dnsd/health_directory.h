// HealthDirectory: geodns' files of health (dns/zone/health.h), looked at every second. A file that
// is wrong leaves what it said before; one that is gone says nothing, and what it tells of is
// unhealthy. One thread at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dns/zone/health.h"

namespace timepool::dnsd {

class HealthDirectory {
 public:
  // "" is no directory.
  explicit HealthDirectory(std::string path) : path_(std::move(path)) {}

  struct Scan {
    bool changed = false;               // a file says something else
    std::vector<std::string> problems;  // new ones: "FILE:LINE:COLUMN: TEXT"
  };
  // Reads every file: they are small, and written more often than stamps can tell.
  Scan scan();

  const dns::HealthFiles& files() const { return files_; }
  // What is wrong now, one text for each file that is.
  std::vector<std::string> problems() const;

 private:
  static constexpr std::size_t kMaxFiles = 1000;

  std::string path_;
  dns::HealthFiles files_;
  std::map<std::string, std::string> texts_;     // by path, as they were read
  std::map<std::string, std::string> problems_;  // by path
};

}  // namespace timepool::dnsd
