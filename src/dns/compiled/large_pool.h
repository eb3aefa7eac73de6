// For tests and benchmarks only: a pool of the world, made from a seed. Thousands of servers in all
// countries, in the form that a manager publishes: a zone document whose names are the whole pool,
// its four numbered parts, each continent's and country's, and vendors' aliases; with a geography
// in which every country has networks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/prng.h"
#include "dns/compiled/client_class.h"
#include "dns/zone/country.h"

namespace timepool::dns::testing {

struct LargePoolSize {
  std::uint32_t servers = 6000;  // three of five by IPv4, the others by IPv6
  std::uint32_t vendors = 215;   // with 1,285 names of places about 1,500 in all
  std::uint32_t networks = 300'000;
};

struct LargePool {
  std::string json;
  GeoTable geo;
  std::vector<std::string> names;  // relative; empty for the apex
};

// All that have a continent: about 250.
inline std::vector<CountryCode> all_countries() {
  std::vector<CountryCode> out;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      const auto code = CountryCode::from_text(std::string{a, b});
      if (code.known() && continent_of(code) != Continent::kNone) out.push_back(code);
    }
  }
  return out;
}

class LargePoolMaker {
 public:
  LargePoolMaker(std::uint64_t seed, const LargePoolSize& size)
      : prng_(seed), size_(size), countries_(all_countries()) {}

  LargePool make() {
    make_servers();
    LargePool out;
    out.json = R"({"serial":1,"ttl":150,"max_hosts":4,"targeting":"@ country continent","data":{)";
    add_place(out, "", [](const Server&) { return true; });
    for (const Continent continent : kContinents) {
      add_place(out, std::string(name_of(continent)),
                [&](const Server& it) { return continent_of(it.country) == continent; });
    }
    for (const CountryCode country : countries_) {
      add_place(out, country.text(), [&](const Server& it) { return it.country == country; });
    }
    for (std::uint32_t i = 0; i < size_.vendors; ++i) {
      const std::string name = "vendor" + std::to_string(i);
      const std::string part = i % 5 == 4 ? "" : std::to_string(i % 5);
      begin_label(out, name);
      out.json += R"("alias":")" + part + "\"}";
    }
    out.json += "}}";
    out.geo = geography();
    return out;
  }

 private:
  struct Server {
    std::string address;
    CountryCode country;
    std::uint32_t weight = 0;
    std::uint32_t part = 0;
    bool v4 = true;
  };

  // Many in few countries, few in many: squares of uniform numbers.
  CountryCode random_country() {
    const double unit = prng_.unit();
    return countries_[static_cast<std::size_t>(unit * unit *
                                               static_cast<double>(countries_.size()))];
  }

  void make_servers() {
    static constexpr std::uint32_t kSpeeds[] = {512,   1500,   3000,   6000,   12000,   25000,
                                                50000, 100000, 250000, 500000, 1000000, 3000000};
    for (std::uint32_t i = 0; i < size_.servers; ++i) {
      Server it;
      it.v4 = i % 5 < 3;
      it.address = it.v4 ? "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) +
                               "." + std::to_string(i & 255)
                         : "2001:db8:1::" + hex(i);
      it.country = random_country();
      it.weight = kSpeeds[prng_.below(std::size(kSpeeds))];
      it.part = static_cast<std::uint32_t>(prng_.below(4));
      servers_.push_back(std::move(it));
    }
  }

  static std::string hex(std::uint32_t value) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string out;
    for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[value >> shift & 15];
    return out;
  }

  void begin_label(LargePool& out, const std::string& name) {
    if (!out.names.empty()) out.json += ',';
    out.json += '"' + name + "\":{";
    out.names.push_back(name);
  }

  // The place itself and its four parts.
  template <class In>
  void add_place(LargePool& out, const std::string& place, const In& in) {
    for (std::uint32_t part = 0; part <= 4; ++part) {
      const std::string prefix = part == 4 ? "" : std::to_string(part);
      begin_label(out, prefix + (prefix.empty() || place.empty() ? "" : ".") + place);
      if (prefix.empty() && place.empty()) out.json += R"("ns":["ns1.example.","ns2.example."],)";
      for (const bool v4 : {true, false}) {
        out.json += v4 ? R"("a":[)" : R"(,"aaaa":[)";
        bool first = true;
        for (const Server& it : servers_) {
          if (it.v4 != v4 || !in(it) || (part < 4 && it.part != part)) continue;
          out.json +=
              (first ? "[\"" : ",[\"") + it.address + "\"," + std::to_string(it.weight) + "]";
          first = false;
        }
        out.json += ']';
      }
      out.json += '}';
    }
  }

  GeoTable geography() {
    Runs<V4Key>::Builder v4;
    Runs<V6Key>::Builder v6;
    v4.append(0, 0);
    v6.append(0, 0);
    // Evenly over 1.0.0.0 to 223.255.255.255 and 2000::/4, in /24s and /48s.
    for (std::uint64_t i = 0; i < size_.networks; ++i) {
      const std::uint64_t step = (std::uint64_t{223} << 16) / size_.networks;
      const std::uint64_t net = (1 << 16) + i * step;
      v4.append(static_cast<V4Key>(net << 8), random_country().bits());
      const V6Key base = V6Key{0x2000} << 112;
      const V6Key room = V6Key{1} << 124;
      v6.append(base + room / size_.networks * i, random_country().bits());
    }
    v4.append(V4Key{224} << 24, 0);
    v6.append(V6Key{0x3000} << 112, 0);
    GeoTable out;
    out.country4 = std::move(v4).finish();
    out.country6 = std::move(v6).finish();
    return out;
  }

  Prng prng_;
  LargePoolSize size_;
  std::vector<CountryCode> countries_;
  std::vector<Server> servers_;
};

inline LargePool make_large_pool(std::uint64_t seed, const LargePoolSize& size = {}) {
  return LargePoolMaker(seed, size).make();
}

}  // namespace timepool::dns::testing
