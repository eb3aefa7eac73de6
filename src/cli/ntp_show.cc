#include "cli/ntp_show.h"

#include <fmt/core.h>

#include "base/ip.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

constexpr std::uint16_t kNtpPort = 123;

}  // namespace

namespace json = boost::json;
using client::number_of;
using client::text_of;

std::string whole(const json::object& object, std::string_view key) {
  const auto number = number_of(object, key);
  return number ? fmt::format("{:.0f}", *number) : "-";
}

std::string span(const json::object& object, std::string_view key, bool with_sign) {
  const auto number = number_of(object, key);
  return number ? seconds_text(*number, with_sign) : "-";
}

std::string age(const std::optional<double>& seconds) {
  if (!seconds) return "-";
  if (*seconds < 1000) return fmt::format("{:.0f}", *seconds);
  if (*seconds < 60'000) return fmt::format("{:.0f}m", *seconds / 60);
  if (*seconds < 172'800) return fmt::format("{:.0f}h", *seconds / 3600);
  return fmt::format("{:.0f}d", *seconds / 86'400);
}

void print_line(std::string_view name, const std::string& value) {
  print(fmt::format("{:<16}: {}", name, value.empty() ? "-" : value));
}

std::string address_of(const json::object& object, std::string_view key) {
  const std::string text = text_of(object, key);
  const auto endpoint = parse_endpoint(text);
  return endpoint.ok() && endpoint->port == kNtpPort ? format(endpoint->address) : text;
}

std::string label_of(const json::object& source) {
  const std::string address = address_of(source, "address");
  return address.empty() ? text_of(source, "source") : address;
}

}  // namespace timepool::cli
