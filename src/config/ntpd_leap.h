// The settings of timepool-ntpd about leap seconds, and which of them go together.
#pragma once

#include <string>

#include "config/ntpd.h"

namespace timepool::config {

// leap_file, leap_mode and sources_smear.
void add_leap_settings(Schema<NtpdConfig>& root);
// RFC 8633 3.7.1: what must not be mixed; empty when all is well.
std::string check_leap_settings(const NtpdConfig& config);
// Whether the sources smear leap seconds: said for all, or of each.
bool sources_smear(const NtpdConfig& config);

}  // namespace timepool::config
