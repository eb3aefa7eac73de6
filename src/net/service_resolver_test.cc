// What does not need a signed zone; those are in tests/integration/ntpd_srv_test.py.
#include "net/service_resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::net {
namespace {

const std::string kAnchor = "pool.test. IN DS 4711 13 2 " + std::string(64, 'a');

// Takes what comes and never answers.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(fd_.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    endpoint_ = {parse_ip("127.0.0.1").value(), ntohs(address.sin_port), 0};
  }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  sys::Fd fd_;
  Endpoint endpoint_;
};

class ServiceResolverTest : public testing::Test {
 protected:
  std::unique_ptr<ServiceResolver> make(Duration timeout = Duration::milliseconds(200)) {
    ServiceResolverOptions options;
    options.servers = {server_.endpoint()};
    options.anchors = {kAnchor};
    options.timeout = timeout;
    auto made = ServiceResolver::create(options);
    EXPECT_TRUE(made.ok()) << made.error().text();
    return std::move(made).value();
  }
  SilentServer server_;
};

TEST_F(ServiceResolverTest, an_anchor_that_libunbound_does_not_take_is_refused_at_the_start) {
  ServiceResolverOptions options;
  options.servers = {server_.endpoint()};
  options.anchors = {"pool.test. IN DS nonsense"};
  EXPECT_FALSE(ServiceResolver::create(options).ok());
}

TEST_F(ServiceResolverTest, a_server_that_is_silent_ends_a_look_up_at_its_deadline) {
  const auto resolver = make();
  const MonoTime start = sys::mono_now();
  EXPECT_EQ(find_services_blocking(*resolver, "_ntske._tcp.pool.test.").status,
            LookupStatus::kTimeout);
  EXPECT_GE(sys::mono_now() - start, Duration::milliseconds(200));
  EXPECT_LT(sys::mono_now() - start, Duration::seconds(20));
  EXPECT_EQ(find_addresses_blocking(*resolver, "a.pool.test").found.status, LookupStatus::kTimeout);
}

TEST_F(ServiceResolverTest, a_name_that_is_none_fails_with_a_reason) {
  const auto resolver = make();
  const ServiceLookup found = find_services_blocking(*resolver, "a..b");
  EXPECT_EQ(found.status, LookupStatus::kServFail);
  EXPECT_NE(found.why, "");
}

TEST_F(ServiceResolverTest, look_ups_are_bounded_and_each_is_answered_once) {
  const auto resolver = make();
  std::size_t refused = 0;
  std::size_t answered = 0;
  const std::size_t count = ServiceResolver::kMaxLookups + 10;
  for (std::size_t i = 0; i < count; ++i) {
    resolver->find_services("s" + std::to_string(i) + ".pool.test", sys::mono_now(),
                            [&](const ServiceLookup& found) {
                              ++answered;
                              if (found.status == LookupStatus::kServFail) ++refused;
                            });
  }
  EXPECT_EQ(answered, 0U);
  for (int i = 0; i < 10; ++i) resolver->process(sys::mono_now() + Duration::seconds(1));
  EXPECT_EQ(answered, count);
  EXPECT_GE(refused, 10U);
  EXPECT_EQ(resolver->next_deadline(), MonoTime::max());
}

TEST_F(ServiceResolverTest, other_dates_end_what_is_under_way_and_hold_for_what_comes) {
  const auto resolver = make();
  std::optional<ServiceLookup> found;
  resolver->find_services("a.pool.test", sys::mono_now(),
                          [&](const ServiceLookup& it) { found = it; });
  resolver->set_dates({false, {}});
  EXPECT_FALSE(found);
  resolver->process(sys::mono_now());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, LookupStatus::kServFail);
  EXPECT_FALSE(resolver->dates().checked);
  resolver->set_dates({true, UnixTime::from_seconds(1'790'000'000)});
  EXPECT_EQ(find_services_blocking(*resolver, "a.pool.test").status, LookupStatus::kTimeout);
}

}  // namespace
}  // namespace timepool::net
