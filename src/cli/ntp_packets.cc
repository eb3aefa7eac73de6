// timepool ntp ntpdata.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <cmath>

#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::object_of;
using client::text_of;

// "10 (1024 s)", "-23 (119ns)": a power of two of seconds.
std::string power(const json::object& answer, std::string_view key) {
  const auto exponent = number_of(answer, key);
  if (!exponent) return "";
  return fmt::format("{:.0f} ({})", *exponent, seconds_text(std::exp2(*exponent), false));
}

std::string yes_or_no(const json::object& answer, std::string_view key) {
  return answer.empty() ? "" : flag_of(answer, key) ? "Yes" : "No";
}

void show_answer(const json::object& answer) {
  if (answer.empty()) return;
  const std::string id = text_of(answer, "reference_id_hex");
  const std::string name = text_of(answer, "reference_id");
  print_line("Leap status", text_of(answer, "leap"));
  print_line("Version", whole(answer, "version"));
  print_line("Mode", text_of(answer, "mode"));
  print_line("Stratum", whole(answer, "stratum"));
  print_line("Poll interval", power(answer, "poll"));
  print_line("Precision", power(answer, "precision"));
  print_line("Root delay", span(answer, "root_delay_s", false));
  print_line("Root dispersion", span(answer, "root_dispersion_s", false));
  print_line("Reference ID", id == name ? id : fmt::format("{} ({})", id, name));
  print_line("Reference time", text_of(answer, "reference_time"));
  print_line("Offset", span(answer, "offset_s", true));
  print_line("Peer delay", span(answer, "delay_s", false));
  print_line("Peer dispersion", span(answer, "dispersion_s", false));
  print_line("Response time", span(answer, "response_s", false));
  print_line("Interleaved", yes_or_no(answer, "interleaved"));
  print_line("TX timestamping", text_of(answer, "transmit_stamp"));
  print_line("RX timestamping", text_of(answer, "receive_stamp"));
  print_line("Verdict", text_of(answer, "reason"));
}

void show_source(const json::object& source) {
  print_line("Remote address", text_of(source, "address"));
  print_line("Source", text_of(source, "source"));
  print_line("Local address", text_of(source, "local_address"));
  show_answer(object_of(source, "answer"));
  const std::string key = whole(source, "key");
  print_line("Authenticated",
             flag_of(source, "authenticated") ? "Yes" + (key == "-" ? "" : ", key " + key) : "No");
  print_line("Total TX", whole(source, "sent"));
  print_line("Total RX", whole(source, "received"));
  print_line("Total valid RX", whole(source, "answered"));
  print_line("Total good RX", whole(source, "accepted"));
  print_line("Last datagram", text_of(source, "last_reason"));
}

}  // namespace

void show_ntpdata(const json::object& answer, bool) {
  bool first = true;
  for (const json::value& value : list_of(answer, "sources")) {
    if (!value.is_object()) continue;
    if (!first) print("");
    first = false;
    show_source(value.get_object());
  }
  if (first) print("no source has an address yet");
}

}  // namespace timepool::cli
