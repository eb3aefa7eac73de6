#include "ntpd/select_settings.h"

namespace timepool::ntpd {
namespace {

ntp::AuthSelection auth_of(config::AuthSelectionPolicy policy) {
  switch (policy) {
    case config::AuthSelectionPolicy::kRequire:
      return ntp::AuthSelection::kRequire;
    case config::AuthSelectionPolicy::kPrefer:
      return ntp::AuthSelection::kPrefer;
    case config::AuthSelectionPolicy::kMix:
      return ntp::AuthSelection::kMix;
    case config::AuthSelectionPolicy::kIgnore:
      break;
  }
  return ntp::AuthSelection::kIgnore;
}

}  // namespace

ntp::SelectionConfig selection_config(const config::NtpSourcesConfig& config) {
  ntp::SelectionConfig out;
  out.auth = auth_of(config.auth_selection);
  out.min_stratum = static_cast<std::uint8_t>(config.min_stratum);
  out.max_stratum = static_cast<std::uint8_t>(config.max_stratum);
  out.max_distance = config.max_distance;
  out.max_jitter = config.max_jitter;
  out.reselect_distance = config.reselect_distance;
  out.stratum_weight = config.stratum_weight;
  out.combine_limit = config.combine_limit;
  return out;
}

}  // namespace timepool::ntpd
