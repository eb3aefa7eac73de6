// ZoneDirectory: the zone files of a directory, geodns' way: every *.json is a zone named for its
// file. A file that changed is read anew; one that is wrong leaves its zone as it was and is named
// with line and column. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/zone.h"

namespace timepool::dnsd {

// A zone and where it comes from: a file's path, or "snapshot N".
struct LoadedZone {
  std::shared_ptr<const dns::Zone> zone;
  std::string source;
};

class ZoneDirectory {
 public:
  // "" is no directory: there is nothing to read.
  explicit ZoneDirectory(std::string path) : path_(std::move(path)) {}

  struct Scan {
    bool changed = false;               // a zone is new, different or gone
    std::vector<std::string> loaded;    // paths of files read and taken
    std::vector<std::string> removed;   // paths of files that are gone
    std::vector<std::string> problems;  // new ones: "FILE:LINE:COLUMN: TEXT"
    std::vector<std::string> warnings;  // of the files read: "FILE: TEXT"
  };
  // Looks for what changed since the last scan. Errors: the directory can't be read, naming
  // [zones] directory; the zones then stay as they are.
  Result<Scan> scan();

  // In the order of their file names.
  std::vector<LoadedZone> zones() const;
  // What is wrong now, one text for each file that is.
  std::vector<std::string> problems() const;
  const std::string& path() const { return path_; }

 private:
  // What tells that a file may have changed without reading it.
  struct Stamp {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    // Of the last change of the file's mode, owner or content: mended permissions change no other,
    // and copies may carry their time with them.
    std::int64_t change_seconds = 0;
    std::int64_t change_nanoseconds = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    Stamp stamp;
    std::string text;                       // that the zone was read from
    std::shared_ptr<const dns::Zone> zone;  // the last good one
    std::string problem;
  };
  Result<std::map<std::string, Stamp>> list() const;
  void read(const std::string& name, File& file, Scan& out) const;

  std::string path_;
  std::map<std::string, File> files_;  // by file name
};

}  // namespace timepool::dnsd
