// The settings of sources as the core wants them.
#pragma once

#include <vector>

#include "config/ntpd.h"
#include "ntp/source.h"

namespace timepool::ntpd {

ntp::SourceConfig source_config(const config::NtpSourceConfig& config, ntp::SourceKind kind);
ntp::SourceConfig source_config(const config::NtpPeerConfig& config);
ntp::SourceConfig source_config(const config::NtpBroadcastClientConfig& config);
// Those of the configuration, then those of its directories: of two that are the same source the
// first counts.
std::vector<ntp::SourceConfig> configured_sources(const config::NtpSourcesConfig& config,
                                                  const config::NtpSourceFile& files);
// How many servers these are at the most.
std::size_t most_servers(const std::vector<ntp::SourceConfig>& sources);

}  // namespace timepool::ntpd
