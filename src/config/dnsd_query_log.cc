#include "config/dnsd_query_log.h"

namespace timepool::config {

Schema<DnsdQueryLogConfig> dnsd_query_log_schema() {
  using Log = DnsdQueryLogConfig;
  Schema<Log> out;
  out.field("file", &Log::file, text(4000),
            "A file that queries are appended to. It is opened anew on reload (SIGHUP), so that it "
            "can be moved away before. Empty: no queries are logged.")
      .field("format", &Log::format,
             one_of<QueryLogFormat>(
                 {{"json", QueryLogFormat::kJson}, {"dnstap", QueryLogFormat::kDnstap}}),
             "A line of JSON for each query, or dnstap: frame streams of protocol buffers with the "
             "whole messages, which `kdig -G` and dnstap's own tools read. Such a stream begins "
             "only in an empty file: one that is there already is replaced.")
      .field("sample", &Log::sample, integer(1u, 1'000'000'000u),
             "One query in so many is logged, at random. Queries that come faster than they can be "
             "written are left out and counted.");
  return out;
}

}  // namespace timepool::config
