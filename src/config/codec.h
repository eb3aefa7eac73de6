// Codec<T>: how one setting's value is read from a file, checked, written back and described. The
// kinds of settings that all programs share are made here; a program may make its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/value.h"

namespace timepool::config {

template <class T>
struct Codec {
  std::string type;  // "an integer, 1 to 65535": for the reference and for error texts
  // Reads `value` into `out`; the text says what is wrong, empty when nothing is.
  std::function<std::string(const Value& value, T& out)> read;
  // As a TOML value that read() takes back.
  std::function<std::string(const T& in)> write;
};

// Largest count of items that a list takes unless it says otherwise.
inline constexpr std::size_t kMaxListItems = 1024;

// "expected <wanted>, found <the value's kind>"
std::string wrong_kind(std::string_view wanted, const Value& value);

Codec<bool> boolean();
// At most `max` bytes.
Codec<std::string> text(std::size_t max = 4096);
// A domain name of letters, digits, '-' and '_'; an ending dot is left out. Empty when `optional`.
Codec<std::string> domain_name(bool optional = false);
// "http://HOST[:PORT][/PATH]" or the same with https.
Codec<std::string> http_url();
// A file or directory name; no NUL, not empty.
Codec<std::string> path();
Codec<std::int64_t> integer64(std::int64_t min, std::int64_t max);
// Reads integers too; not NaN.
Codec<double> number(double min, double max);
// Written as a string with a unit: "30s", "1h30m", "400ms".
Codec<Duration> duration(Duration min, Duration max);
Codec<IpAddress> ip_address();
// "192.0.2.1:123", "[2001:db8::1]:123"; without a port `default_port`, required when that is 0.
// Port 0 ("let the system choose") is allowed when `zero_port`.
Codec<Endpoint> endpoint(std::uint16_t default_port = 0, bool zero_port = false);
Codec<Prefix> prefix();
// A number of bytes: an integer, or a string with a unit: "64KiB", "8MiB", "1GiB".
Codec<std::int64_t> byte_count(std::int64_t min, std::int64_t max);

template <class Int>
Codec<Int> integer(Int min, Int max) {
  Codec<std::int64_t> wide =
      integer64(static_cast<std::int64_t>(min), static_cast<std::int64_t>(max));
  return {wide.type,
          [wide](const Value& value, Int& out) {
            std::int64_t read = 0;
            std::string wrong = wide.read(value, read);
            if (wrong.empty()) out = static_cast<Int>(read);
            return wrong;
          },
          [wide](const Int& in) { return wide.write(static_cast<std::int64_t>(in)); }};
}

// One of several names.
using Names = std::vector<std::pair<std::string, int>>;
Codec<int> one_of_names(Names names);

template <class E>
Codec<E> one_of(const std::vector<std::pair<std::string, E>>& names) {
  Names numbers;
  for (const auto& [name, value] : names) numbers.emplace_back(name, static_cast<int>(value));
  Codec<int> codec = one_of_names(std::move(numbers));
  return {codec.type,
          [codec](const Value& value, E& out) {
            int read = 0;
            std::string wrong = codec.read(value, read);
            if (wrong.empty()) out = static_cast<E>(read);
            return wrong;
          },
          [codec](const E& in) { return codec.write(static_cast<int>(in)); }};
}

// An array of values; a later file replaces the whole of it.
template <class T>
Codec<std::vector<T>> list_of(const Codec<T>& item, std::size_t max = kMaxListItems) {
  return {"a list, each " + item.type,
          [item, max](const Value& value, std::vector<T>& out) -> std::string {
            if (value.kind != Value::Kind::kArray) return wrong_kind("an array", value);
            if (value.items.size() > max) {
              return std::to_string(value.items.size()) + " items, at most " + std::to_string(max);
            }
            out.clear();
            for (std::size_t i = 0; i < value.items.size(); ++i) {
              T read{};
              std::string wrong = item.read(value.items[i], read);
              if (!wrong.empty()) return "item " + std::to_string(i + 1) + ": " + wrong;
              out.push_back(std::move(read));
            }
            return {};
          },
          [item](const std::vector<T>& in) {
            std::string out = "[";
            for (std::size_t i = 0; i < in.size(); ++i) {
              out += (i > 0 ? ", " : "") + item.write(in[i]);
            }
            return out + "]";
          }};
}

// A setting that may be absent: no default stands for it.
template <class T>
Codec<std::optional<T>> maybe(const Codec<T>& item) {
  return {item.type,
          [item](const Value& value, std::optional<T>& out) {
            T read{};
            std::string wrong = item.read(value, read);
            if (wrong.empty()) out = std::move(read);
            return wrong;
          },
          // The empty text means: leave the key out.
          [item](const std::optional<T>& in) { return in ? item.write(*in) : std::string(); }};
}

}  // namespace timepool::config
