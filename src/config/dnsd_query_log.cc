#include "config/dnsd_query_log.h"

namespace timepool::config {

Schema<DnsdQueryLogConfig> dnsd_query_log_schema() {
  using Log = DnsdQueryLogConfig;
  Schema<Log> out;
  out.field("file", &Log::file, text(4000),
            "A file that queries are appended to. It is opened anew on reload (SIGHUP), so that it "
            "can be moved away before. Empty: no file.")
      .field("format", &Log::format,
             one_of<QueryLogFormat>(
                 {{"json", QueryLogFormat::kJson}, {"dnstap", QueryLogFormat::kDnstap}}),
             "A line of JSON for each query, or dnstap: frame streams of protocol buffers with the "
             "whole messages, which `kdig -G` and dnstap's own tools read. Such a stream begins "
             "only in an empty file: one that is there already is replaced.")
      .field("socket", &Log::socket, text(107),
             "A Unix socket at which a program takes dnstap (format = \"dnstap\"), in place of a "
             "file: `fstrm_capture`, `dnstap-receiver`. It is looked for each second. What it does "
             "not take in time waits, one megabyte at the most; more is left out and counted.")
      .field("max_megabytes", &Log::max_megabytes, integer(0u, 1'000'000u),
             "The file grows no larger: it is moved to FILE.1, that one to FILE.2, and a new one "
             "begins. The user of [sandbox] must be able to write to its directory. 0: no limit.")
      .field("keep", &Log::keep, integer(1u, 99u),
             "So many files are kept besides the one that is written; the oldest is replaced.")
      .field("sample", &Log::sample, integer(1u, 1'000'000'000u),
             "One query in so many is logged, at random. Queries that come faster than they can be "
             "written are left out and counted.");
  out.check([](const Log& it) -> std::string {
    if (it.socket.empty()) return "";
    if (!it.file.empty()) return "file and socket: one of them";
    return it.format == QueryLogFormat::kDnstap ? "" : "socket needs format = \"dnstap\"";
  });
  return out;
}

}  // namespace timepool::config
