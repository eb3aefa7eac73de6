// The tables of timepool-ntpd about whose time is measured: [sources], [[server]], [[pool]].
#pragma once

#include "config/ntpd.h"

namespace timepool::config {

inline constexpr std::size_t kMaxNtpSources = 16;
inline constexpr const char* kServerDoc = "A server whose time is measured.";
inline constexpr const char* kPoolDoc =
    "A pool of servers behind one name, of which some are measured.";

Schema<NtpSourceConfig> ntp_source_schema(bool pool);
Schema<NtpSourcesConfig> ntp_sources_schema();
// Of a file in [sources] directories.
Schema<NtpSourceFile> ntp_source_file_schema();

}  // namespace timepool::config
