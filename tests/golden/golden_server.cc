#include "golden_server.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/mac.h"
#include "ntp/key_table.h"
#include "nts/testing_client.h"

namespace timepool::golden {
namespace {

using ntp::KeyRing;
using wire::ntp::Leap;

constexpr std::size_t kReplies = 16;
constexpr std::size_t kClients = 64;

}  // namespace

UnixTime first_moment() {
  return parse_utc("2026-11-21T12:00:00Z").value();
}

ntp::ServerState clock_of(const std::string& name) {
  ntp::ServerState out;
  out.leap = Leap::kNone;
  out.stratum = 2;
  out.precision = -23;
  out.reference_id = wire::ntp::ReferenceId::of_address(IpAddress::v4(0xc0000201));
  out.root_delay = Duration::milliseconds(2);
  out.root_dispersion = Duration::milliseconds(1);
  out.reference_time = first_moment() - Duration::seconds(20);
  out.made = out.reference_time;
  if (name == "good") return out;
  if (name == "gps") {
    out.stratum = 1;
    out.reference_id = wire::ntp::ReferenceId::from_text("GPS");
    out.root_delay = Duration();
  } else if (name == "unsynchronised") {
    out.leap = Leap::kUnsynchronised;
  } else if (name == "insert" || name == "delete") {
    out.leap = name == "insert" ? Leap::kInsert : Leap::kDelete;
  } else if (name == "stale") {
    out.made = out.reference_time = first_moment() - Duration::seconds(660);
  } else if (name == "smeared") {
    // A quarter of a second behind, and falling behind by 10 parts in a million.
    out.shift.from = first_moment();
    out.shift.offset = Duration::milliseconds(-250);
    out.shift.rate = out.shift.rate_after_knee = -10e-6;
    out.shift.knee = first_moment() + Duration::seconds(3600);
  } else {
    throw std::runtime_error("no such clock: " + name);
  }
  return out;
}

std::shared_ptr<const KeyRing> keys_of(const std::string& path) {
  std::ifstream in(path);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto entries = ntp::parse_key_table(text);
  if (!entries.ok() || entries->empty()) throw std::runtime_error("no keys in " + path);
  std::vector<std::shared_ptr<const ntp::SymmetricKey>> keys;
  for (const ntp::KeyEntry& entry : *entries) {
    auto mac = crypto::make_mac(entry.type, entry.secret).value();
    keys.push_back(std::make_shared<ntp::SymmetricKey>(entry.id, entry.type, 1, entry.allowed,
                                                       std::move(mac)));
  }
  return std::make_shared<KeyRing>(std::move(keys));
}

namespace {

std::shared_ptr<const ntp::AccessList> access() {
  const std::vector<Prefix> deny = {parse_prefix("198.51.100.0/24").value()};
  auto rules = ntp::AccessRules::build({}, deny).value();
  return std::make_shared<ntp::AccessList>(
      std::make_shared<const ntp::AccessRules>(std::move(rules)),
      std::vector<ntp::AccessList::Interface>{});
}

// One request in 16 seconds and two at once.
ntp::LimitSettings limits_of(const std::string& name) {
  if (name != "kiss" && name != "silent") throw std::runtime_error("no such limits: " + name);
  ntp::LimitSettings out;
  out.enabled = true;
  out.address = BucketRate::of(1.0 / 16, 2);
  out.kiss = name == "kiss" ? 1 : 0;
  return out;
}

ntp::Service service_of(const std::map<std::string, std::string>& settings,
                        const std::string& key_file) {
  ntp::Service out;
  out.state = clock_of("good");
  for (const auto& [name, value] : settings) {
    if (name == "clock") {
      out.state = clock_of(value);
    } else if (name == "keys") {
      out.keys = keys_of(key_file);
    } else if (name == "access") {
      out.access = access();
    } else if (name == "limits") {
      out.limits = limits_of(value);
    } else if (name == "nts") {
      // golden_test.py has it among the past keys of a running server.
      auto keys = std::make_shared<nts::CookieKeys>();
      keys->serial = 1;
      nts::CookieKey key;
      key.id = 0x676f6c64;
      key.secret.fill(std::byte{0x2a});
      CHECK(keys->keys.push_back({}) && keys->keys.push_back(key));
      out.cookies = std::move(keys);
    } else if (name != "interleaved") {
      throw std::runtime_error("no such setting: " + name);
    }
  }
  return out;
}

ntp::Responder::Options options_of(const std::map<std::string, std::string>& settings) {
  ntp::Responder::Options out;
  if (settings.contains("interleaved")) out.interleaved_replies = kReplies;
  if (settings.contains("limits")) out.clients = kClients;
  out.aeads = std::make_shared<crypto::GcryptAeads>();
  out.random = std::make_shared<nts::fake::SeededRandom>(1);
  return out;
}

}  // namespace

Server::Server(const std::map<std::string, std::string>& settings, const std::string& key_file)
    : service_(service_of(settings, key_file)), responder_(options_of(settings)) {}

Said Server::answer(const Exchange& exchange) {
  ntp::RxInfo rx;
  rx.received = first_moment() + exchange.at;
  rx.client = exchange.from;
  rx.local = parse_endpoint("192.0.2.123:123").value();
  rx.now = MonoTime::from_ns(1'000'000'000) + exchange.at;
  const Octets& request = exchange.request;
  Octets out(std::max(request.size(), wire::ntp::kHeaderSize), std::byte{0xee});
  const ntp::Response response = responder_.respond(rx, request, service_, out);
  CHECK(response.length <= request.size());
  CHECK((response.length > 0) == (response.verdict == ntp::Verdict::kReply));
  out.resize(response.length);
  if (response.verdict == ntp::Verdict::kReply) {
    const UnixTime sent = rx.received + Duration::microseconds(20);
    responder_.finish(response, service_, sent, out);
    responder_.sent(response, service_, sent + Duration::microseconds(5));
  }
  return {std::string(name_of(response.reason)), std::move(out)};
}

}  // namespace timepool::golden
