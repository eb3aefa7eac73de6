// timepool ntp tracking.
#include <fmt/core.h>

#include <cmath>

#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::number_of;
using client::text_of;

// "12.3us slow of NTP time": the true time is ahead of the system clock's.
std::string system_time(const json::object& answer) {
  const auto offset = number_of(answer, "offset_s");
  if (!offset) return "";
  return seconds_text(std::fabs(*offset), false) + (*offset < 0 ? " fast" : " slow") +
         " of NTP time";
}

std::string ppm(const json::object& answer, std::string_view key, bool with_sign) {
  const auto value = number_of(answer, key);
  if (!value) return "";
  return with_sign ? fmt::format("{:+.3f} ppm", *value) : fmt::format("{:.3f} ppm", *value);
}

// How the clock would run if nobody corrected it.
std::string frequency(const json::object& answer) {
  const auto value = number_of(answer, "frequency_ppm");
  if (!value) return "";
  return fmt::format("{:.3f} ppm {}", std::fabs(*value), *value < 0 ? "slow" : "fast");
}

std::string reference(const json::object& answer) {
  const std::string id = text_of(answer, "reference_id");
  const std::string address = address_of(answer, "address");
  if (id.empty() || id == address) return address;
  return address.empty() ? id : fmt::format("{} ({})", id, address);
}

void show_steering(const json::object& answer) {
  print_line("Correction", text_of(answer, "correction"));
  const auto frequency = number_of(answer, "frequency_ppm");
  print_line("Frequency", frequency ? fmt::format("{:+.3f} ppm", *frequency) : "");
}

}  // namespace

void show_tracking(const json::object& answer, bool) {
  print_line("Synchronised", flag_of(answer, "synchronised") ? "yes" : "no");
  print_line("Clock", text_of(answer, "clock"));
  if (text_of(answer, "clock") == "steer") show_steering(answer);
  print_line("Reference ID", reference(answer));
  print_line("Stratum", whole(answer, "stratum"));
  print_line("Ref time (UTC)", text_of(answer, "updated"));
  print_line("System time", system_time(answer));
  print_line("Last offset", span(answer, "last_offset_s", true));
  print_line("RMS offset", span(answer, "rms_offset_s", false));
  print_line("Frequency", frequency(answer));
  print_line("Residual freq", ppm(answer, "residual_frequency_ppm", true));
  print_line("Skew", ppm(answer, "skew_ppm", false));
  print_line("Error bound", span(answer, "uncertainty_s", false));
  print_line("Jitter", span(answer, "jitter_s", false));
  print_line("Root delay", span(answer, "root_delay_s", false));
  print_line("Root dispersion", span(answer, "root_dispersion_s", false));
  print_line("Update interval", span(answer, "update_interval_s", false));
  print_line("Sources in use", fmt::format("{} (at least {} wanted)", whole(answer, "survivors"),
                                           whole(answer, "min_sources")));
  print_line("Leap status", text_of(answer, "leap"));
  print_line("Smear offset", span(answer, "smear_offset_s", true));
}

void show_accepted(const json::object& answer, bool) {
  print_line("Offset was", span(answer, "offset_s", true));
  print_line("Corrected by", text_of(answer, "correction"));
}

}  // namespace timepool::cli
