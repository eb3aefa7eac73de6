// Answers of random zones against the rules in their slowest form: what exists, what is cut, which
// wildcard counts and which label a client is answered from is found by walking the zone's labels.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dns/compiled/explain.h"
#include "dns/compiled/large_pool.h"
#include "dns/responder.h"
#include "dns/testing.h"
#include "dns/zone/random_zone.h"

namespace timepool::dns {
namespace {

using dns::testing::ask;
using dns::testing::Got;
using wire::dns::DnsName;
using wire::dns::RrType;

std::string_view above(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

// What a client is: the ends of label names that count for it, most specific first; "" is the plain
// label.
using Levels = std::vector<std::string>;

class Rules {
 public:
  explicit Rules(const Zone& zone) : zone_(zone) {
    names_.insert("");
    for (const Label& label : zone.labels) {
      if (label.name.find('[') == std::string::npos) add(label.name);
      for (const char* end :
           {"us", "de", "europe", "asia", "as64500", "[198.18.9.0]", "[198.18.7.0]"}) {
        const std::string dotted = std::string(".") + end;
        if (label.name == end) add("");
        if (label.name.ends_with(dotted)) {
          add(label.name.substr(0, label.name.size() - dotted.size()));
        }
      }
    }
  }

  struct Expected {
    Reason reason = Reason::kNxDomain;
    const RecordSet* set = nullptr;  // of the first owner
  };

  Expected answer(const std::string& name, RrType type, const Levels& levels) const {
    std::string at = name;
    std::string cut;
    for (std::string_view up = name; !up.empty(); up = above(up)) {
      if (is_cut(std::string(up))) cut = std::string(up);
    }
    if (!cut.empty()) {
      if (cut != name || type != RrType::kDs) return {Reason::kReferral, nullptr};
      const RecordSet* ds = zone_.find(name)->find(RrType::kDs);
      return {ds != nullptr ? Reason::kAnswered : Reason::kNoData, ds};
    }
    if (!names_.contains(name)) {
      std::string_view encloser = above(name);
      while (!names_.contains(std::string(encloser))) encloser = above(encloser);
      at = "*" + std::string(encloser.empty() ? "" : ".") + std::string(encloser);
      if (!names_.contains(at)) return {Reason::kNxDomain, nullptr};
    }
    const RecordSet* set = walk(at, type, levels);
    return {set != nullptr ? Reason::kAnswered : Reason::kNoData, set};
  }

 private:
  void add(std::string_view name) {
    for (; !name.empty(); name = above(name)) names_.insert(std::string(name));
  }
  bool is_cut(const std::string& name) const {
    const Label* label = name.empty() ? nullptr : zone_.find(name);
    return label != nullptr && label->find(RrType::kNs) != nullptr;
  }
  // geodns: at each level an alias first, then a CNAME, then the type. What would give no record is
  // no set.
  const RecordSet* walk(const std::string& base, RrType type, const Levels& levels) const {
    for (const std::string& level : levels) {
      const std::string name = base.empty() || level.empty() ? base + level : base + "." + level;
      const Label* label = zone_.find(name);
      if (label == nullptr) continue;
      if (label->alias && type != RrType::kNs) {
        if (const RecordSet* set = walk(*label->alias, type, levels)) return set;
      }
      if (const RecordSet* set = label->find(RrType::kCname)) return set;
      const RecordSet* set = label->find(type);
      if (set != nullptr && gives_records(*label, *set)) return set;
    }
    return nullptr;
  }
  static bool gives_records(const Label& label, const RecordSet& set) {
    if (label.max_hosts > 0) return true;
    if (set.type == RrType::kA || set.type == RrType::kAaaa) return false;
    for (const ZoneRecord& record : set.records) {
      if (record.weight > 0) return false;
    }
    return true;
  }

  const Zone& zone_;
  std::set<std::string> names_;
};

struct Client {
  const char* address;
  Levels levels;
};
const std::vector<Client>& clients() {
  static const std::vector<Client> out{
      {"100.64.0.1", {""}},
      {"198.19.0.1", {"us", ""}},
      {"198.18.0.1", {"de", "europe", ""}},
      {"198.18.5.1", {"as64500", "de", "europe", ""}},
      {"198.18.9.7", {"[198.18.9.0]", "de", "europe", ""}},
      {"198.18.7.7", {"[198.18.7.0]", "de", "europe", ""}},
      {"192.0.2.1", {"asia", ""}},
      {"198.51.100.1", {"europe", ""}},
  };
  return out;
}

void check(const CompiledZones& zones, const Zone& zone, const std::string& name, RrType type,
           const Client& client) {
  const Rules rules(zone);
  const auto expected = rules.answer(name, type, client.levels);
  const std::string full = name.empty() ? "r.test" : name + ".r.test";
  const Got got = ask(zones, {.name = full, .type = type}, client.address, true);
  ASSERT_TRUE(got.message) << full << " " << format(type);
  const bool followed = expected.set != nullptr && expected.set->type == RrType::kCname;
  if (!followed || type == RrType::kCname) {
    ASSERT_EQ(name_of(got.outcome.reason), name_of(expected.reason))
        << full << " " << format(type) << " from " << client.address;
  }
  std::set<std::string> allowed;
  if (expected.set != nullptr) {
    for (const ZoneRecord& record : expected.set->records) {
      allowed.insert({reinterpret_cast<const char*>(record.rdata.data()), record.rdata.size()});
    }
  }
  std::size_t of_first_owner = 0;
  auto cursor = got.message->records();
  while (const auto record = cursor.next()) {
    if (record->section != wire::dns::Section::kAnswer || of_first_owner >= 60) continue;
    if (followed && of_first_owner > 0) break;
    ++of_first_owner;
    ASSERT_NE(expected.set, nullptr);
    ASSERT_EQ(record->type, expected.set->type);
    const Bytes data = record->rdata;
    ASSERT_TRUE(allowed.contains({reinterpret_cast<const char*>(data.data()), data.size()}))
        << full << " " << format(type) << " from " << client.address;
  }
  ASSERT_EQ(of_first_owner > 0, expected.set != nullptr)
      << full << " " << format(type) << " from " << client.address << ": "
      << name_of(got.outcome.reason);
}

TEST(AnswerProperty, random_zones_are_answered_by_the_rules) {
  static constexpr std::array kTypes{RrType::kA,  RrType::kTxt,   RrType::kSrv,
                                     RrType::kDs, RrType::kCname, RrType::kPtr};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    std::vector<Zone> zones;
    zones.push_back(dns::testing::random_zone(prng, "r.test"));
    const auto compiled = dns::testing::compile(zones);
    ASSERT_NE(compiled, nullptr);
    for (int i = 0; i < 200; ++i) {
      std::string name = dns::testing::kRandomNames[prng.below(dns::testing::kRandomNames.size())];
      if (name.find('[') != std::string::npos) name = "q";
      if (prng.below(3) == 0) name = (prng.below(2) == 0 ? "w." : "v.w.") + name;
      if (name.ends_with('.')) name.pop_back();
      check(*compiled, zones[0], name, kTypes[prng.below(kTypes.size())],
            clients()[prng.below(clients().size())]);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(AnswerProperty, subnets_of_no_length_count_for_nothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    std::vector<Zone> zones;
    zones.push_back(dns::testing::random_zone(prng, "r.test"));
    const auto compiled = dns::testing::compile(zones);
    for (const Client& client : clients()) {
      for (const char* name : {"r.test", "a.r.test", "y.r.test", "q.b.r.test"}) {
        for (const char* none : {"0.0.0.0/0", "::/0"}) {
          const Got with = ask(*compiled, {.name = name, .subnet = none}, client.address);
          const Got without = ask(*compiled, {.name = name, .edns = true}, client.address);
          ASSERT_TRUE(with.message && without.message);
          EXPECT_EQ(with.scope(), 0);
          EXPECT_EQ(with.answers(), without.answers());
        }
      }
    }
  }
}

// Where no label is for some clients only, no bit of the subnet counts.
TEST(AnswerProperty, scope_is_0_where_the_answer_depends_on_no_subnet) {
  const auto zones = dns::testing::compile({{"s.test", R"({"data": {
      "": {"a": [["10.0.0.1"]]}, "us": {"a": [["10.0.0.2"]]}, "x": {"a": [["10.0.0.3"]]},
      "other": {"alias": "x"}, "far": {"ns": ["ns.example."]}, "leads": {"cname": "x"}}})"}});
  for (const char* name : {"x", "other", "leads", "far", "in.far", "none", "us", "us.x"}) {
    const Got got = ask(*zones, {.name = std::string(name) + ".s.test", .subnet = "198.19.3.4/32"});
    EXPECT_EQ(got.scope(), 0) << name;
  }
  EXPECT_EQ(ask(*zones, {.name = "s.test", .type = RrType::kMx, .subnet = "198.19.3.4/32"}).scope(),
            0)
      << "nobody has such records";
  EXPECT_EQ(ask(*zones, {.name = "s.test", .subnet = "198.19.3.4/32"}).scope(), 16);
}

// Four of a label's servers, drawn without replacement: how often each comes, against the chance of
// it by the same rule worked out over all orders of drawing.
double chance(const std::vector<double>& weights, std::size_t item, std::set<std::size_t>& drawn,
              int left) {
  if (left == 0) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += drawn.contains(i) ? 0 : weights[i];
  double out = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (drawn.contains(i)) continue;
    const double now = weights[i] / sum;
    if (i == item) {
      out += now;
      continue;
    }
    drawn.insert(i);
    out += now * chance(weights, item, drawn, left - 1);
    drawn.erase(i);
  }
  return out;
}

TEST(AnswerProperty, frequencies_of_draws_without_replacement_follow_the_weights) {
  // More than are scanned: they are drawn from columns.
  constexpr std::size_t kServers = kScannedItems + 2;
  constexpr int kTake = 3;
  constexpr int kQueries = 60'000;
  std::vector<double> weights;
  std::string records;
  for (std::size_t i = 0; i < kServers; ++i) {
    weights.push_back(i == 0 ? 5000 : static_cast<double>(100 * (i + 1)));
    records += (i > 0 ? "," : "") + std::string("[\"10.0.0.") + std::to_string(i) + "\"," +
               std::to_string(static_cast<int>(weights.back())) + "]";
  }
  const auto zones = dns::testing::compile(
      {{"f.test", R"({"max_hosts": 3, "data": {"": {"a": [)" + records + "]}}}"}});
  const auto query = dns::testing::query_bytes({.name = "f.test"});
  const ResponderSettings settings = dns::testing::settings();
  SCOPED_TRACE("seed 77");
  Worker worker(77);
  std::vector<std::byte> out(512);
  std::vector<int> seen(kServers);
  for (int i = 0; i < kQueries; ++i) {
    const Rx rx{parse_ip("100.64.0.1").value(), false, 0};
    ASSERT_EQ(respond(rx, query, {*zones, settings}, worker, out).reason, Reason::kAnswered);
    ASSERT_EQ(worker.handed.list().size(), 3U);
    for (const std::uint32_t item : worker.handed.list()) ++seen[item];
  }
  double chi = 0;
  for (std::size_t i = 0; i < kServers; ++i) {
    std::set<std::size_t> drawn;
    const double p = chance(weights, i, drawn, kTake);
    const double expected = kQueries * p;
    const double error = seen[i] - expected;
    // Each is a binomial count. Together they make three for each query, so they are a little less
    // free than 18.
    chi += error * error / (expected * (1 - p));
  }
  // 18 degrees of freedom: 42.3 is the 99.9 % point.
  EXPECT_LT(chi, 42.3);
}

TEST(LargePool, is_compiled_in_time_and_memory) {
  const testing::LargePool pool = testing::make_large_pool(1, {6000, 215, 30'000});
  const auto zone = load_zone(pool.json, "pool.test", 1);
  ASSERT_TRUE(zone.ok());
  EXPECT_GE(pool.names.size(), 1400U);
  const Zone* zones[] = {&zone.value()};
  ClassCache cache;
  const auto compiled = CompiledZones::compile(zones, pool.geo, cache);
  ASSERT_TRUE(compiled.ok());
  EXPECT_LT((*compiled)->memory(), std::size_t{100} << 20);
  // The same from the same seed.
  EXPECT_EQ(pool.json, testing::make_large_pool(1, {6000, 215, 30'000}).json);
}

}  // namespace
}  // namespace timepool::dns
