#include "cli/nts_records.h"

#include <fmt/core.h>

#include <boost/json/object.hpp>

#include "base/aead.h"
#include "wire/nts/record.h"

namespace timepool::cli {
namespace {

namespace type = wire::nts::record_type;
using wire::nts::Record;

// A longer body is shown by its length alone.
constexpr std::size_t kMaxShown = 260;

std::string aead_text(std::uint16_t number) {
  const auto id = aead_of(number);
  return id ? fmt::format("{} ({})", name_of(*id), number) : fmt::format("algorithm {}", number);
}

std::string protocol_text(std::uint16_t number) {
  return number == wire::nts::kProtocolNtpv4 ? "NTPv4" : fmt::format("protocol {}", number);
}

std::string error_text(std::uint16_t code) {
  switch (code) {
    case wire::nts::error_code::kUnrecognisedCritical:
      return "0, unrecognised critical record";
    case wire::nts::error_code::kBadRequest:
      return "1, bad request";
    case wire::nts::error_code::kInternal:
      return "2, internal server error";
    default:
      return fmt::format("{}", code);
  }
}

std::string number_text(std::uint16_t number) {
  return fmt::format("{}", number);
}

std::string list_text(Bytes body, std::string (*text)(std::uint16_t)) {
  if (body.size() % 2 != 0 || body.size() > kMaxShown) return fmt::format("{} octets", body.size());
  std::string out;
  ByteReader reader(body);
  while (reader.remaining() > 0) out += (out.empty() ? "" : ", ") + text(reader.u16());
  return out.empty() ? "none" : out;
}

std::string name_text(Bytes body) {
  if (body.size() > kMaxShown) return fmt::format("{} octets", body.size());
  return printable({reinterpret_cast<const char*>(body.data()), body.size()});
}

std::string value_of(const Record& record) {
  switch (record.type) {
    case type::kEndOfMessage:
    case type::kKeepAlive:
    case type::kCompliantGcmSiv:
      return record.body.empty() ? "" : fmt::format("{} octets", record.body.size());
    case type::kNextProtocol:
      return list_text(record.body, protocol_text);
    case type::kAead:
      return list_text(record.body, aead_text);
    case type::kError:
      return list_text(record.body, error_text);
    case type::kWarning:
    case type::kPort:
      return list_text(record.body, number_text);
    case type::kServer:
    case type::kServerDeny:
      return name_text(record.body);
    default:
      return fmt::format("{} octets", record.body.size());
  }
}

std::string name_of_record(const Record& record) {
  const std::string_view name = wire::nts::name_of_type(record.type);
  return name.empty() ? fmt::format("record {}", record.type) : std::string(name);
}

std::string line_of(const Record& record) {
  std::string out = name_of_record(record);
  const std::string value = value_of(record);
  if (!value.empty()) out += ": " + value;
  return record.critical ? out + ", critical" : out;
}

// Calls `each` with every whole record; the octets that are left.
template <class Each>
std::size_t for_each_record(Bytes message, Each each) {
  std::size_t at = 0;
  while (at < message.size()) {
    ByteReader reader(message.subspan(at));
    const Record record = wire::nts::read_record(reader);
    if (!reader.ok()) break;
    each(record);
    at += record.size();
  }
  return message.size() - at;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool shown = c >= ' ' && c < 0x7f;
    out += shown ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::vector<std::string> record_lines(Bytes message) {
  struct Run {
    std::string line;
    std::size_t times = 0;
  };
  std::vector<Run> runs;
  const std::size_t left = for_each_record(message, [&](const Record& record) {
    std::string line = line_of(record);
    if (runs.empty() || runs.back().line != line) runs.push_back({std::move(line), 0});
    ++runs.back().times;
  });
  std::vector<std::string> out;
  for (const Run& run : runs) {
    out.push_back(run.times == 1 ? run.line : fmt::format("{}, {} times", run.line, run.times));
  }
  if (left > 0) out.push_back(fmt::format("{} octets of a record that is not whole", left));
  return out;
}

boost::json::array record_json(Bytes message) {
  boost::json::array out;
  for_each_record(message, [&](const Record& record) {
    out.push_back(boost::json::object{{"type", record.type},
                                      {"name", name_of_record(record)},
                                      {"critical", record.critical},
                                      {"octets", record.body.size()},
                                      {"value", value_of(record)}});
  });
  return out;
}

}  // namespace timepool::cli
