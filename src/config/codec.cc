#include "config/codec.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace timepool::config {
namespace {

// Values that are texts in the file and parsed by `parse` (a Result with an Error).
template <class T, class Parse>
Codec<T> parsed_text(std::string type, Parse parse) {
  return {type,
          [type, parse](const Value& value, T& out) -> std::string {
            if (value.kind != Value::Kind::kString) return wrong_kind(type, value);
            auto result = parse(value.text);
            if (!result.ok()) return result.error().text();
            out = std::move(result).value();
            return {};
          },
          [](const T& in) { return quoted(format(in)); }};
}

std::string out_of_range(std::string_view value, std::string_view min, std::string_view max) {
  return fmt::format("{} is out of range, {} to {}", value, min, max);
}

struct ByteUnit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::array<ByteUnit, 4> kByteUnits{
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};

bool parse_bytes(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const ByteUnit& unit : kByteUnits) {
    if (text == unit.name) return !__builtin_mul_overflow(out, unit.bytes, &out);
  }
  return false;
}

std::string write_bytes(std::int64_t bytes) {
  for (const ByteUnit& unit : kByteUnits) {
    if (bytes != 0 && bytes % unit.bytes == 0 && unit.bytes > 1) {
      return fmt::format("\"{}{}\"", bytes / unit.bytes, unit.name);
    }
  }
  return std::to_string(bytes);
}

}  // namespace

std::string wrong_kind(std::string_view wanted, const Value& value) {
  return fmt::format("expected {}, found {}", wanted, name_of(value.kind));
}

Codec<bool> boolean() {
  return {"true or false",
          [](const Value& value, bool& out) -> std::string {
            if (value.kind != Value::Kind::kBoolean) return wrong_kind("true or false", value);
            out = value.boolean;
            return {};
          },
          [](const bool& in) { return std::string(in ? "true" : "false"); }};
}

Codec<std::string> text(std::size_t max) {
  return {"a string",
          [max](const Value& value, std::string& out) -> std::string {
            if (value.kind != Value::Kind::kString) return wrong_kind("a string", value);
            if (value.text.size() > max) {
              return fmt::format("{} bytes long, at most {}", value.text.size(), max);
            }
            out = value.text;
            return {};
          },
          [](const std::string& in) { return quoted(in); }};
}

namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// What is wrong with a domain name without an ending dot; empty when nothing is.
std::string name_problem(std::string_view name) {
  if (name.empty()) return "an empty domain name";
  // RFC 1035 3.1: 255 bytes with the lengths of the labels and the root.
  if (name.size() > 253) return "longer than the 253 bytes of a domain name";
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return "a domain name with an empty label";
      label = 0;
    } else if (!is_name_character(c)) {
      return "a domain name has letters, digits, '-' and '_' only";
    } else if (++label > 63) {
      return "a domain name with a label of more than 63 bytes";
    }
  }
  return label == 0 ? "a domain name with an empty label" : "";
}

std::string url_problem(std::string_view url) {
  std::size_t scheme = 0;
  if (url.starts_with("http://")) scheme = 7;
  if (url.starts_with("https://")) scheme = 8;
  if (scheme == 0) return "must begin with http:// or https://";
  for (const char c : url) {
    if (c <= 0x20 || c >= 0x7f) return "a URL has no blanks, control or non-ASCII characters";
  }
  std::string_view host = url.substr(scheme);
  host = host.substr(0, host.find_first_of("/?#"));
  host = host.substr(host.rfind('@') + 1);  // npos + 1: all of it
  const std::size_t address_end = host.starts_with('[') ? host.find(']') : 0;
  const std::size_t colon = host.find(':', address_end == host.npos ? 0 : address_end);
  if (colon == 0 || host.empty() || address_end == host.npos) return "a URL without a host";
  if (colon == host.npos) return {};
  const std::string_view digits = host.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port < 1 || port > 65'535) {
    return "a URL's port must be 1 to 65535";
  }
  return {};
}

}  // namespace

Codec<std::string> domain_name(bool optional) {
  return {"a string",
          [optional](const Value& value, std::string& out) -> std::string {
            if (value.kind != Value::Kind::kString) return wrong_kind("a string", value);
            std::string_view name = value.text;
            if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
            if (!name.empty() || !optional) {
              if (std::string wrong = name_problem(name); !wrong.empty()) return wrong;
            }
            out = name;
            return {};
          },
          [](const std::string& in) { return quoted(in); }};
}

Codec<std::string> http_url() {
  return {"a string",
          [](const Value& value, std::string& out) -> std::string {
            if (value.kind != Value::Kind::kString) return wrong_kind("a string", value);
            if (std::string wrong = url_problem(value.text); !wrong.empty()) return wrong;
            out = value.text;
            return {};
          },
          [](const std::string& in) { return quoted(in); }};
}

Codec<std::string> path() {
  return {"a path",
          [](const Value& value, std::string& out) -> std::string {
            if (value.kind != Value::Kind::kString) return wrong_kind("a path", value);
            if (value.text.empty()) return "an empty path";
            if (value.text.find('\0') != std::string::npos) return "a NUL byte in a path";
            out = value.text;
            return {};
          },
          [](const std::string& in) { return quoted(in); }};
}

Codec<std::int64_t> integer64(std::int64_t min, std::int64_t max) {
  return {fmt::format("an integer, {} to {}", min, max),
          [min, max](const Value& value, std::int64_t& out) -> std::string {
            if (value.kind != Value::Kind::kInteger) return wrong_kind("an integer", value);
            if (value.integer < min || value.integer > max) {
              return out_of_range(std::to_string(value.integer), std::to_string(min),
                                  std::to_string(max));
            }
            out = value.integer;
            return {};
          },
          [](const std::int64_t& in) { return std::to_string(in); }};
}

Codec<double> number(double min, double max) {
  return {fmt::format("a number, {} to {}", min, max),
          [min, max](const Value& value, double& out) -> std::string {
            double read = value.number;
            if (value.kind == Value::Kind::kInteger) {
              read = static_cast<double>(value.integer);
            } else if (value.kind != Value::Kind::kFloat) {
              return wrong_kind("a number", value);
            }
            if (!(read >= min && read <= max)) {
              return out_of_range(fmt::to_string(read), fmt::to_string(min), fmt::to_string(max));
            }
            out = read;
            return {};
          },
          [](const double& in) { return fmt::format("{}", in); }};
}

Codec<Duration> duration(Duration min, Duration max) {
  Codec<Duration> codec = parsed_text<Duration>(
      "a duration like \"30s\"", [](std::string_view text) { return parse_duration(text); });
  codec.type = fmt::format("a duration, \"{}\" to \"{}\"", format(min), format(max));
  codec.read = [read = codec.read, min, max](const Value& value, Duration& out) -> std::string {
    Duration got;
    std::string wrong = read(value, got);
    if (!wrong.empty()) return wrong;
    if (got < min || got > max) return out_of_range(format(got), format(min), format(max));
    out = got;
    return {};
  };
  return codec;
}

Codec<IpAddress> ip_address() {
  return parsed_text<IpAddress>("an IP address",
                                [](std::string_view text) { return parse_ip(text); });
}

Codec<Endpoint> endpoint(std::uint16_t default_port, bool zero_port) {
  std::string type = default_port == 0
                         ? "an address and port like \"192.0.2.1:53\""
                         : fmt::format("an address, with a port if not {}", default_port);
  return parsed_text<Endpoint>(
      std::move(type), [default_port, zero_port](std::string_view text) -> Result<Endpoint> {
        // parse_endpoint() takes no port 0.
        if (zero_port && text.ends_with(":0") && !text.ends_with("::0")) {
          Endpoint out = TRY(parse_endpoint(text.substr(0, text.size() - 2), 1));
          out.port = 0;
          return out;
        }
        return parse_endpoint(text, default_port);
      });
}

Codec<Prefix> prefix() {
  return parsed_text<Prefix>("an address block like \"192.0.2.0/24\"",
                             [](std::string_view text) { return parse_prefix(text); });
}

Codec<std::int64_t> byte_count(std::int64_t min, std::int64_t max) {
  return {fmt::format("a number of bytes, {} to {}", write_bytes(min), write_bytes(max)),
          [min, max](const Value& value, std::int64_t& out) -> std::string {
            std::int64_t read = value.integer;
            if (value.kind == Value::Kind::kString) {
              if (!parse_bytes(value.text, read)) {
                return "write a number of bytes like 65536, \"64KiB\", \"8MiB\" or \"1GiB\"";
              }
            } else if (value.kind != Value::Kind::kInteger) {
              return wrong_kind("a number of bytes", value);
            }
            if (read < min || read > max) {
              return out_of_range(write_bytes(read), write_bytes(min), write_bytes(max));
            }
            out = read;
            return {};
          },
          [](const std::int64_t& in) { return write_bytes(in); }};
}

Codec<int> one_of_names(Names names) {
  std::string type = "one of";
  for (const auto& [name, value] : names) {
    type += (type.size() > 6 ? ", " : " ") + quoted(name);
  }
  return {type,
          [names, type](const Value& value, int& out) -> std::string {
            if (value.kind != Value::Kind::kString) return wrong_kind(type, value);
            for (const auto& [name, number] : names) {
              if (name == value.text) {
                out = number;
                return {};
              }
            }
            return quoted(value.text) + " is not " + type;
          },
          [names](const int& in) {
            for (const auto& [name, number] : names) {
              if (number == in) return quoted(name);
            }
            return std::string();
          }};
}

}  // namespace timepool::config
