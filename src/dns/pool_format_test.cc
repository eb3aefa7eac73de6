// A zone as the NTP Pool's manager exports it, with the same structure and from a seed: every
// answer is one that geodns' rules give, by a second, plain implementation of those rules.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/prng.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using wire::dns::Rcode;
using wire::dns::RrType;

struct ModelLabel {
  std::set<std::string> a, aaaa;
  std::string alias;
  std::string cname;
};
struct Pool {
  std::map<std::string, ModelLabel> labels;
  std::string json;
};

std::string addresses(const std::vector<int>& servers, bool v6) {
  std::string out;
  for (const int server : servers) {
    const std::string address =
        v6 ? "2001:db8::" + std::to_string(server + 1)
           : "10.0." + std::to_string(server / 250) + '.' + std::to_string(server % 250 + 1);
    const int netspeed[] = {512, 3000, 25000, 250000, 1000000};
    out += (out.empty() ? "" : ", ") + ("[\"" + address) + "\", \"" +
           std::to_string(netspeed[server % 5]) + "\"]";
  }
  return out;
}

// The export's rules: all of IPv4 under the zone's own name; 0 to 3 have all of them each where
// there are fewer than eight, else a quarter; IPv6 is in 2 alone.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : prng_(seed) {}

  Pool run() {
    pool_.labels[""];
    std::string data =
        "\"\": {\"ns\": {\"a.ntpns.example.\": null}, \"mx\": [{\"mx\": \".\", "
        "\"preference\": 0}], \"txt\": \"pool\"";
    std::vector<int> all;
    for (const char* name : {"de", "us", "fr", "jp", "gb"}) {
      std::vector<int> servers;
      for (std::uint64_t left = prng_.below(20); left > 0; --left) servers.push_back(next_++);
      all.insert(all.end(), servers.begin(), servers.end());
      zone(name, servers);
      by_continent_[std::string(name_of(continent_of(CountryCode::from_text(name))))].insert(
          by_continent_[std::string(name_of(continent_of(CountryCode::from_text(name))))].end(),
          servers.begin(), servers.end());
    }
    for (const auto& [name, servers] : by_continent_) zone(name, servers);
    zone("", all);
    for (const char* vendor : {"debian", "ubuntu"}) {
      alias(vendor, "");
      for (const char* n : {"0", "1", "2", "3"}) alias(std::string(n) + '.' + vendor, n);
    }
    alias("uk", "gb");
    pool_.labels["www"].cname = "www.ntppool.example.";
    text_["www"] = "\"cname\": \"www.ntppool.example.\"";
    data += text_[""].empty() ? "" : ", " + text_[""];
    data += '}';
    for (const auto& [name, text] : text_) {
      if (!name.empty()) data += ",\n\"" + name + "\": {" + text + '}';
    }
    pool_.json =
        "{\"serial\": \"1700000000\", \"ttl\": \"150\", \"max_hosts\": \"4\", "
        "\"logging\": {\"stathat\": \"1\"}, \"data\": {" +
        data + "}}";
    return std::move(pool_);
  }

 private:
  void put(const std::string& name, const std::vector<int>& servers, bool v6) {
    if (servers.empty()) return;
    std::string& text = text_[name];
    text += (text.empty() ? "" : ", ") + std::string(v6 ? "\"aaaa\": [" : "\"a\": [") +
            addresses(servers, v6) + ']';
    for (const int server : servers) {
      const std::string one = addresses({server}, v6);
      const std::size_t end = one.find('"', 2);
      (v6 ? pool_.labels[name].aaaa : pool_.labels[name].a).insert(one.substr(2, end - 2));
    }
  }

  void zone(const std::string& name, const std::vector<int>& servers) {
    const std::string dot = name.empty() ? "" : '.' + name;
    put(name, servers, false);
    for (int n = 0; n < 4; ++n) {
      std::vector<int> some;
      for (std::size_t i = 0; i < servers.size(); ++i) {
        if (servers.size() < 8 || i % 4 == static_cast<std::size_t>(n)) some.push_back(servers[i]);
      }
      put(std::to_string(n) + dot, some, false);
      if (n == 2) put("2" + dot, servers, true);
    }
  }

  void alias(const std::string& name, const std::string& to) {
    pool_.labels[name].alias = to;
    pool_.labels[name].alias += to.empty() ? "@" : "";
    text_[name] = "\"alias\": \"" + to + '"';
  }

  Prng prng_;
  int next_ = 0;
  Pool pool_;
  std::map<std::string, std::string> text_;
  std::map<std::string, std::vector<int>> by_continent_;
};

// geodns' walk: each target in turn; an alias before a CNAME before the type itself.
const std::set<std::string>* walk(const Pool& pool, const std::string& name,
                                  const std::vector<std::string>& targets, RrType type) {
  for (const std::string& target : targets) {
    const std::string label = target.empty() ? name : name.empty() ? target : name + '.' + target;
    const auto at = pool.labels.find(label);
    if (at == pool.labels.end()) continue;
    if (!at->second.alias.empty()) {
      const std::string to = at->second.alias == "@" ? "" : at->second.alias;
      if (const auto* found = walk(pool, to, targets, type)) return found;
    }
    const auto& own = type == RrType::kA ? at->second.a : at->second.aaaa;
    if (!own.empty()) return &own;
  }
  return nullptr;
}

// "us" exists for "0.us" alone.
bool exists(const Pool& pool, const std::string& name) {
  return std::any_of(pool.labels.begin(), pool.labels.end(), [&name](const auto& item) {
    const std::string& label = item.first;
    return label == name || (label.size() > name.size() && label.ends_with('.' + name));
  });
}

std::string end_of(const std::string& line) {
  return line.substr(line.rfind(' ') + 1);
}

class PoolFormat : public ::testing::TestWithParam<int> {};

TEST_P(PoolFormat, every_answer_is_one_of_geodns) {
  const Pool pool = Generator(static_cast<std::uint64_t>(GetParam())).run();
  const auto zones = testing::compile({{"pool.test", pool.json}});
  ASSERT_NE(zones, nullptr) << pool.json;
  const std::map<std::string, std::vector<std::string>> clients{
      {"198.18.0.1", {"de", "europe", ""}},   {"198.19.0.1", {"us", "north-america", ""}},
      {"198.51.100.1", {"fr", "europe", ""}}, {"203.0.113.1", {"gb", "uk", "europe", ""}},
      {"192.0.2.1", {"jp", "asia", ""}},      {"100.64.0.1", {""}}};
  std::set<std::string> names{"nosuch", "0.nosuch", "4", "0.1", "africa", "0.africa", "gb", "0.gb"};
  for (const auto& [name, label] : pool.labels) names.insert(name);
  std::size_t answered = 0;
  for (const std::string& name : names) {
    for (const auto& [client, targets] : clients) {
      for (const RrType type : {RrType::kA, RrType::kAaaa}) {
        SCOPED_TRACE(name + ' ' + format(type) + " from " + client);
        const auto got =
            testing::ask(*zones, {name + (name.empty() ? "" : ".") + "pool.test.", type}, client);
        if (name == "www") {
          ASSERT_EQ(got.answers().size(), 1U);
          EXPECT_EQ(end_of(got.answers()[0]), "www.ntppool.example.");
          continue;
        }
        const auto* allowed = walk(pool, name, targets, type);
        std::set<std::string> given;
        for (const std::string& line : got.answers()) given.insert(end_of(line));
        EXPECT_EQ(given.size(), got.answers().size()) << "one twice";
        EXPECT_EQ(given.size(), allowed == nullptr ? 0 : std::min<std::size_t>(4, allowed->size()));
        for (const std::string& address : given) EXPECT_TRUE(allowed->contains(address)) << address;
        EXPECT_EQ(got.outcome.rcode, exists(pool, name) ? Rcode::kNoError : Rcode::kNxDomain);
        answered += !given.empty();
      }
    }
  }
  EXPECT_GT(answered, 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PoolFormat, ::testing::Range(1, 9));

}  // namespace
}  // namespace timepool::dns
