#include "config/ntpd_leap.h"

#include <algorithm>

namespace timepool::config {
namespace {

std::size_t count_smeared(const std::vector<NtpSourceConfig>& sources) {
  return static_cast<std::size_t>(std::count_if(
      sources.begin(), sources.end(), [](const NtpSourceConfig& it) { return it.smeared; }));
}

std::size_t count_smeared(const NtpdConfig& config) {
  return count_smeared(config.sources.servers) + count_smeared(config.sources.pools);
}

}  // namespace

void add_leap_settings(Schema<NtpdConfig>& root) {
  root.field("leap_file", &NtpdConfig::leap_file, text(4096),
             "A leap-seconds.list as IERS and NIST publish it and distributions install it. While "
             "it is valid it alone says when a leap second is and how far TAI is ahead of UTC; "
             "without one, or when it has expired, the majority of the selected sources says so, "
             "at the end of June and December only. It is read again every hour and on reload. An "
             "empty string: none.")
      .field("leap_mode", &NtpdConfig::leap_mode,
             one_of<LeapMode>({{"kernel", LeapMode::kKernel},
                               {"step", LeapMode::kStep},
                               {"slew", LeapMode::kSlew},
                               {"ignore", LeapMode::kIgnore}}),
             "How a leap second gets into the clock. \"kernel\": the kernel inserts or deletes it, "
             "told on the last day of the month. \"step\": this program steps the clock by a "
             "second at that moment. \"slew\": from then on the second is slewed away. \"ignore\": "
             "nothing is announced or done; the sources are followed as they come to differ.")
      .field("sources_smear", &NtpdConfig::sources_smear, boolean(),
             "The sources smear leap seconds, as only those of a closed environment should (RFC "
             "8633 3.7.1). No leap is announced or applied then, and a leap_file is refused.");
}

bool sources_smear(const NtpdConfig& config) {
  return config.sources_smear || count_smeared(config) > 0;
}

std::string check_leap_settings(const NtpdConfig& config) {
  const std::size_t all = config.sources.servers.size() + config.sources.pools.size();
  const std::size_t smeared = count_smeared(config);
  if (!config.sources_smear && smeared > 0 && smeared < all) {
    return "some sources are smeared and others are not: they never agree around a leap second "
           "(RFC 8633 3.7.1)";
  }
  if (sources_smear(config) && !config.leap_file.empty()) {
    return "leap_file and smeared sources: a client of smeared time applies no leap seconds (RFC "
           "8633 3.7.1)";
  }
  return "";
}

}  // namespace timepool::config
