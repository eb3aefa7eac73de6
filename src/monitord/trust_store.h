// TrustStore: the roots that certificates of servers have to lead to, by the words that the manager
// uses for them ([nts] trust of timepool-poold). Files are read again when they may have changed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/tls_context.h"
#include "sys/log.h"

namespace timepool::monitord {

class TrustStore {
 public:
  // The machine's own roots, unless there is a file for the word.
  static constexpr std::string_view kSystem = "system";
  // A renewed bundle of the system's counts so much later at the latest.
  static constexpr Duration kRefresh = Duration::seconds(3600);

  // `files`: PEM files by their words. `log` outlives it.
  TrustStore(std::map<std::string, std::string> files, sys::Logger& log);

  // Errors: kNotFound for a word without a file, and those of reading it where it was never read;
  // one that was stays in use, and the log says so.
  Result<std::shared_ptr<const net::TlsClientContext>> context(const std::string& word,
                                                               MonoTime now);

 private:
  struct Entry {
    std::shared_ptr<const net::TlsClientContext> context;
    MonoTime read;
  };

  sys::Logger& log_;
  std::map<std::string, std::string> files_;
  std::map<std::string, Entry> entries_;  // at most as many as files_
};

}  // namespace timepool::monitord
