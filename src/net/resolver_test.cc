#include "net/resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "sys/clock.h"
#include "sys/fd.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/query.h"

namespace timepool::net {
namespace {

namespace dns = wire::dns;

dns::DnsName dns_name(std::string_view text) {
  return dns::DnsName::from_text(text).value();
}

// What the test's server has for one name.
struct Node {
  std::vector<IpAddress> addresses = {};
  std::string cname = {};
  std::uint32_t ttl = 60;
  bool truncate_udp = false;
};

// A server authoritative for pool.test and nothing else, as timepool-dnsd is: AA set, RA not. On
// loopback, UDP and TCP on one port.
class TestServer {
 public:
  explicit TestServer(std::uint16_t port = 0) {
    // The free UDP port that the system chose may be in use by TCP: then another one.
    for (int attempt = 0; attempt < 20 && !tcp_; ++attempt) {
      udp_ = bound(SOCK_DGRAM, port);
      sockaddr_in address{};
      socklen_t size = sizeof address;
      getsockname(udp_.number(), reinterpret_cast<sockaddr*>(&address), &size);
      port_ = ntohs(address.sin_port);
      tcp_ = bound(SOCK_STREAM, port_);
    }
    EXPECT_TRUE(udp_ && tcp_) << "no port is free for both UDP and TCP";
    listen(tcp_.number(), 8);
    thread_ = std::thread([this] { run(); });
  }
  ~TestServer() {
    stop_ = true;
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  Endpoint endpoint() const { return {parse_ip("127.0.0.1").value(), port_, 0}; }
  void set(const std::string& name, Node node) {
    const std::lock_guard lock(mutex_);
    nodes_[name] = std::move(node);
  }
  // How often `name` was asked for, over any transport.
  int asked(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return asked_[name];
  }

 private:
  // Empty when the port is in use.
  static sys::Fd bound(int type, std::uint16_t port) {
    sys::Fd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const int on = 1;
    setsockopt(fd.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = bind(fd.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    return free ? std::move(fd) : sys::Fd();
  }

  void run() {
    while (!stop_) {
      pollfd entries[] = {{udp_.number(), POLLIN, 0}, {tcp_.number(), POLLIN, 0}};
      poll(entries, 2, 20);
      if ((entries[0].revents & POLLIN) != 0) serve_udp();
      if ((entries[1].revents & POLLIN) != 0) serve_tcp();
    }
  }
  void serve_udp() {
    std::array<std::byte, 4096> request;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(udp_.number(), request.data(), request.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= 0) return;
    std::array<std::byte, 4096> buffer;
    const Bytes reply = answer(Bytes(request).first(static_cast<std::size_t>(got)), buffer, true);
    sendto(udp_.number(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
  void serve_tcp() {
    const sys::Fd client(accept4(tcp_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<std::byte, 4096> request;
    ByteReader length(Bytes(request).first(2));
    if (recv(client.number(), request.data(), 2, MSG_WAITALL) != 2) return;
    const std::size_t size = length.u16();
    if (size > request.size() ||
        recv(client.number(), request.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size)) {
      return;
    }
    std::array<std::byte, 4096> buffer;
    const Bytes reply = answer(Bytes(request).first(size), MutableBytes(buffer).subspan(2), false);
    buffer[0] = static_cast<std::byte>(reply.size() >> 8);
    buffer[1] = static_cast<std::byte>(reply.size() & 0xff);
    send(client.number(), buffer.data(), reply.size() + 2, MSG_NOSIGNAL);
  }

  Bytes answer(Bytes request, MutableBytes buffer, bool udp) {
    const auto query = dns::parse_query(request);
    if (!query.ok()) return {};
    const std::lock_guard lock(mutex_);
    const std::string name = format(dns::lowered(query->name));
    ++asked_[name];
    dns::MessageWriter writer(buffer);
    dns::Header header;
    header.id = query->header.id;
    header.set(dns::Header::kQr);
    header.set(dns::Header::kRd, query->header.has(dns::Header::kRd));
    const bool ours = query->name.is_within(dns_name("pool.test"));
    const auto node = nodes_.find(name);
    header.set(dns::Header::kAa, ours);
    header.set_rcode(!ours                  ? dns::Rcode::kRefused
                     : node == nodes_.end() ? dns::Rcode::kNxDomain
                                            : dns::Rcode::kNoError);
    writer.header(header);
    EXPECT_TRUE(writer.question(query->name, query->type, query->klass));
    const bool empty = !ours || node == nodes_.end() || !write_node(writer, *query, node->second);
    if (ours && empty) {
      const dns::Soa soa{dns_name("ns.pool.test"), dns_name("h.pool.test"), 1, 2, 3, 4, 1};
      EXPECT_TRUE(writer.record(dns::Section::kAuthority, dns_name("pool.test"), dns::RrType::kSoa,
                                dns::RrClass::kIn, 1, soa));
    }
    if (ours && udp && node != nodes_.end() && node->second.truncate_udp) writer.truncate();
    if (query->edns) {
      EXPECT_TRUE(writer.opt({.udp_size = 1232}));
    }
    return writer.finish();
  }
  // False when it has nothing of the type.
  static bool write_node(dns::MessageWriter& writer, const dns::Query& query, const Node& node) {
    if (!node.cname.empty()) {
      return writer.record(dns::Section::kAnswer, query.name, dns::RrType::kCname,
                           dns::RrClass::kIn, node.ttl, dns::NameData{dns_name(node.cname)});
    }
    bool any = false;
    for (const IpAddress& address : node.addresses) {
      if ((query.type == dns::RrType::kA) != address.is_v4()) continue;
      any = writer.address(dns::Section::kAnswer, query.name, node.ttl, address) || any;
    }
    return any;
  }

  sys::Fd udp_;
  sys::Fd tcp_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, int> asked_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}

// Runs the resolver as a daemon's loop does until `done`, at most `limit`.
template <class F>
bool run_until(Resolver& resolver, Duration limit, F&& done) {
  const MonoTime end = sys::mono_now() + limit;
  while (!done() && sys::mono_now() < end) {
    const Duration left = std::min(resolver.next_deadline(), end) - sys::mono_now();
    pollfd entry{resolver.fd(), POLLIN, 0};
    const auto ms = std::clamp<std::int64_t>(left.ns() / 1'000'000 + 1, 0, 100);
    poll(&entry, 1, left.ns() <= 0 ? 0 : static_cast<int>(ms));
    resolver.process(sys::mono_now());
  }
  return done();
}

LookupResult ask(Resolver& resolver, std::string_view name,
                 LookupFamily family = LookupFamily::kBoth) {
  std::optional<LookupResult> result;
  const LookupId id = resolver.lookup(name, family, sys::mono_now(),
                                      [&](const LookupResult& found) { result = found; });
  EXPECT_FALSE(result.has_value()) << "the callback came from within lookup()";
  EXPECT_TRUE(run_until(resolver, Duration::seconds(20), [&] { return result.has_value(); }));
  resolver.cancel(id);
  return result.value_or(LookupResult{});
}

std::unique_ptr<Resolver> make(const Endpoint& server, Duration timeout = Duration::seconds(5)) {
  return std::move(Resolver::create({.servers = {server}, .timeout = timeout})).value();
}

TEST(Resolver, asks_an_authoritative_only_server_for_both_families) {
  TestServer server;
  server.set("a.pool.test.", {.addresses = {ip("127.0.0.2"), ip("127.0.0.3"), ip("::1")}});
  const auto resolver = make(server.endpoint());
  const LookupResult both = ask(*resolver, "A.pool.test");
  EXPECT_EQ(both.status, LookupStatus::kOk);
  EXPECT_EQ(both.addresses.size(), 3u);
  ASSERT_TRUE(both.ttl.has_value());
  EXPECT_LE(*both.ttl, Duration::seconds(60));
  EXPECT_GE(*both.ttl, Duration::seconds(55));
  const LookupResult v6 = ask(*resolver, "a.pool.test.", LookupFamily::kV6);
  EXPECT_EQ(v6.addresses, std::vector<IpAddress>{ip("::1")});
  // Each type once: the second look-up was answered from the cache.
  EXPECT_EQ(server.asked("a.pool.test."), 2);
}

TEST(Resolver, one_family_alone_is_an_answer) {
  TestServer server;
  server.set("v4.pool.test.", {.addresses = {ip("192.0.2.1")}});
  const auto resolver = make(server.endpoint());
  EXPECT_EQ(ask(*resolver, "v4.pool.test").addresses, std::vector<IpAddress>{ip("192.0.2.1")});
  EXPECT_EQ(ask(*resolver, "v4.pool.test", LookupFamily::kV6).status, LookupStatus::kNoData);
}

TEST(Resolver, tells_missing_names_from_missing_data_and_from_failure) {
  TestServer server;
  server.set("empty.pool.test.", {});
  const auto resolver = make(server.endpoint());
  EXPECT_EQ(ask(*resolver, "nothing.pool.test").status, LookupStatus::kNxDomain);
  EXPECT_EQ(ask(*resolver, "empty.pool.test").status, LookupStatus::kNoData);
  // Nothing but the configured server is asked, and it refuses.
  EXPECT_EQ(ask(*resolver, "www.example.com").status, LookupStatus::kServFail);
  EXPECT_GT(server.asked("www.example.com."), 0);
}

TEST(Resolver, follows_aliases) {
  TestServer server;
  server.set("www.pool.test.", {.cname = "a.pool.test."});
  server.set("a.pool.test.", {.addresses = {ip("192.0.2.7")}});
  const auto resolver = make(server.endpoint());
  EXPECT_EQ(ask(*resolver, "www.pool.test").addresses, std::vector<IpAddress>{ip("192.0.2.7")});
}

TEST(Resolver, falls_back_to_tcp_when_truncated) {
  TestServer server;
  server.set("big.pool.test.", {.addresses = {ip("192.0.2.8")}, .ttl = 60, .truncate_udp = true});
  const auto resolver = make(server.endpoint());
  EXPECT_EQ(ask(*resolver, "big.pool.test", LookupFamily::kV4).addresses,
            std::vector<IpAddress>{ip("192.0.2.8")});
  EXPECT_EQ(server.asked("big.pool.test."), 2);
}

TEST(Resolver, sees_a_change_when_the_ttl_is_over_and_not_before) {
  TestServer server;
  server.set("t.pool.test.", {.addresses = {ip("192.0.2.1")}, .ttl = 2});
  const auto resolver = make(server.endpoint());
  const MonoTime start = sys::mono_now();
  EXPECT_EQ(ask(*resolver, "t.pool.test", LookupFamily::kV4).addresses[0], ip("192.0.2.1"));
  server.set("t.pool.test.", {.addresses = {ip("192.0.2.2")}, .ttl = 2});
  const LookupResult cached = ask(*resolver, "t.pool.test", LookupFamily::kV4);
  if (sys::mono_now() - start < Duration::milliseconds(900)) {
    EXPECT_EQ(cached.addresses[0], ip("192.0.2.1"));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(3100));
  EXPECT_EQ(ask(*resolver, "t.pool.test", LookupFamily::kV4).addresses[0], ip("192.0.2.2"));
}

TEST(Resolver, without_a_cache_it_sees_every_change_within_a_second) {
  TestServer server;
  const auto resolver =
      std::move(Resolver::create({.servers = {server.endpoint()}, .cache = false})).value();
  EXPECT_EQ(ask(*resolver, "n.pool.test", LookupFamily::kV4).status, LookupStatus::kNxDomain);
  for (const char* address : {"192.0.2.1", "192.0.2.2"}) {
    server.set("n.pool.test.", {.addresses = {ip(address)}});
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    EXPECT_EQ(ask(*resolver, "n.pool.test", LookupFamily::kV4).addresses,
              std::vector<IpAddress>{ip(address)});
  }
}

TEST(Resolver, a_dead_server_times_out_and_is_used_again_when_it_is_back) {
  auto server = std::make_unique<TestServer>();
  const std::uint16_t port = server->port();
  const auto resolver = make(server->endpoint(), Duration::milliseconds(300));
  server.reset();
  // A silent port, not a closed one: no ICMP tells.
  sys::Fd silent(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(silent.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const MonoTime start = sys::mono_now();
  EXPECT_EQ(ask(*resolver, "a.pool.test").status, LookupStatus::kTimeout);
  EXPECT_LT(sys::mono_now() - start, Duration::seconds(3));
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(ask(*resolver, "a.pool.test").status, LookupStatus::kOk);
  }
  silent.reset();
  TestServer again(port);
  again.set("a.pool.test.", {.addresses = {ip("192.0.2.1")}});
  const MonoTime back = sys::mono_now();
  LookupResult result;
  while (sys::mono_now() - back < Duration::seconds(15)) {
    result = ask(*resolver, "a.pool.test");
    if (result.status == LookupStatus::kOk) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(result.status, LookupStatus::kOk);
  RecordProperty("recovery_ms", static_cast<int>((sys::mono_now() - back).ns() / 1'000'000));
}

TEST(Resolver, many_lookups_at_once_each_call_back_once) {
  TestServer server;
  constexpr int kCount = 100;
  for (int i = 0; i < kCount; ++i) {
    server.set("h" + std::to_string(i) + ".pool.test.",
               {.addresses = {IpAddress::v4(0xc0000200U + static_cast<unsigned>(i))}});
  }
  const auto resolver = make(server.endpoint(), Duration::seconds(15));
  std::array<int, kCount> calls{};
  int total = 0;
  for (int i = 0; i < kCount; ++i) {
    const std::string name = "h" + std::to_string(i) + ".pool.test";
    resolver->lookup(name, LookupFamily::kBoth, sys::mono_now(),
                     [&calls, &total, i](const LookupResult& result) {
                       EXPECT_EQ(result.status, LookupStatus::kOk);
                       ASSERT_EQ(result.addresses.size(), 1u);
                       EXPECT_EQ(result.addresses[0].v4_bits() & 0xff, static_cast<unsigned>(i));
                       ++calls[static_cast<std::size_t>(i)];
                       ++total;
                     });
  }
  EXPECT_TRUE(run_until(*resolver, Duration::seconds(20), [&] { return total >= kCount; }));
  for (const int count : calls) EXPECT_EQ(count, 1);
}

TEST(Resolver, a_cancelled_lookup_never_calls_back) {
  TestServer server;
  server.set("a.pool.test.", {.addresses = {ip("192.0.2.1")}});
  const auto resolver = make(server.endpoint());
  const LookupId id = resolver->lookup("a.pool.test", LookupFamily::kBoth, sys::mono_now(),
                                       [](const LookupResult&) { ADD_FAILURE(); });
  resolver->cancel(id);
  const LookupId literal = resolver->lookup("192.0.2.1", LookupFamily::kBoth, sys::mono_now(),
                                            [](const LookupResult&) { ADD_FAILURE(); });
  resolver->cancel(literal);
  EXPECT_EQ(resolver->next_deadline(), MonoTime::max());
  EXPECT_EQ(ask(*resolver, "a.pool.test").status, LookupStatus::kOk);
}

TEST(Resolver, a_callback_may_start_the_next_lookup) {
  TestServer server;
  server.set("a.pool.test.", {.addresses = {ip("192.0.2.1")}});
  const auto resolver = make(server.endpoint());
  bool second = false;
  resolver->lookup("a.pool.test", LookupFamily::kV4, sys::mono_now(), [&](const LookupResult&) {
    resolver->lookup("192.0.2.9", LookupFamily::kV4, sys::mono_now(),
                     [&](const LookupResult& r) { second = r.status == LookupStatus::kOk; });
  });
  EXPECT_TRUE(run_until(*resolver, Duration::seconds(10), [&] { return second; }));
}

class SystemResolver : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Resolver> make() {
    return std::move(Resolver::create({.timeout = Duration::seconds(5), .threads = GetParam()}))
        .value();
  }
};
INSTANTIATE_TEST_SUITE_P(Threads, SystemResolver, testing::Bool());

TEST_P(SystemResolver, finds_localhost) {
  const auto resolver = make();
  const LookupResult result = ask(*resolver, "localhost", LookupFamily::kV4);
  EXPECT_EQ(result.status, LookupStatus::kOk);
  ASSERT_FALSE(result.addresses.empty());
  EXPECT_TRUE(result.addresses[0].is_loopback());
  EXPECT_FALSE(result.ttl.has_value());
  EXPECT_EQ(resolver->next_deadline(), MonoTime::max());
}

TEST_P(SystemResolver, addresses_and_bad_names_are_answered_without_it) {
  const auto resolver = make();
  EXPECT_EQ(ask(*resolver, "2001:db8::1").addresses, std::vector<IpAddress>{ip("2001:db8::1")});
  EXPECT_EQ(ask(*resolver, "2001:db8::1", LookupFamily::kV4).status, LookupStatus::kNoData);
  for (const char* bad : {"", "a..b", ".x"}) {
    EXPECT_EQ(ask(*resolver, bad).status, LookupStatus::kBadName) << bad;
  }
}

TEST_P(SystemResolver, refuses_more_than_its_limit_at_once) {
  const auto resolver = make();
  std::size_t busy = 0;
  std::size_t ok = 0;
  for (std::size_t i = 0; i < Resolver::kMaxLookups + 3; ++i) {
    resolver->lookup("localhost", LookupFamily::kV4, sys::mono_now(),
                     [&](const LookupResult& result) {
                       (result.status == LookupStatus::kBusy ? busy : ok) += 1;
                     });
  }
  EXPECT_TRUE(run_until(*resolver, Duration::seconds(20),
                        [&] { return busy + ok == Resolver::kMaxLookups + 3; }));
  EXPECT_EQ(busy, 3u);
}

TEST(ResolverOptions, servers_need_a_thread) {
  const auto made = Resolver::create(
      {.servers = {{ip("127.0.0.1"), 53, 0}}, .timeout = Duration::seconds(1), .threads = false});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kInvalid);
}

TEST(LookupBlocking, asks_the_servers_and_waits) {
  TestServer server;
  server.set("a.pool.test.", {.addresses = {ip("192.0.2.1")}});
  const auto result =
      lookup_blocking("a.pool.test", LookupFamily::kBoth, {.servers = {server.endpoint()}});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->addresses, std::vector<IpAddress>{ip("192.0.2.1")});
}

}  // namespace
}  // namespace timepool::net
