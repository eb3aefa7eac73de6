#include "ntpd/key_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "ntpd/key_testing.h"
#include "wire/nts/record.h"

namespace timepool::ntpd {
namespace {

using nts::KeReason;
using testing::KeyTestClient;
using testing::wish_for;

// Error record with `code`, End of Message (RFC 8915 4.1.1, 4.1.3).
std::vector<std::byte> error_message(std::uint16_t code) {
  std::vector<std::byte> out(10);
  ByteWriter writer(out);
  wire::nts::write_u16_record(true, wire::nts::record_type::kError, code, writer);
  wire::nts::write_end_of_message(writer);
  EXPECT_EQ(writer.size(), out.size());
  return out;
}

// Of all threads of this process, thus of the server and of its clients.
Duration processor_time() {
  timespec now{};
  EXPECT_EQ(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
  return Duration::seconds(now.tv_sec) + Duration::nanoseconds(now.tv_nsec);
}

class KeyServerTest : public ::testing::Test {
 protected:
  KeyServerTest() {
    config_.listen = {{parse_ip("127.0.0.1").value(), 0, 0}};
    config_.certificates = {files_.write("server", wish_for(testing::kHost))};
  }

  void start(net::InheritedSockets* inherited = nullptr) {
    KeyServer::Options options;
    options.inherited = inherited;
    auto made = KeyServer::create(reactor_, logger_, config_, options);
    ASSERT_TRUE(made.ok()) << made.error().text();
    server_ = std::move(made).value();
    server_->set_cookies(testing::cookie_keys());
    ASSERT_TRUE(server_->begin().ok());
  }
  Endpoint at() const { return server_->addresses().front(); }
  // Counted once the connection is answered or over, which its client may notice before.
  std::uint64_t count(ServedOutcome outcome, std::uint64_t wanted = 1) const {
    for (int i = 0; i < 500 && server_->counts().of(outcome) < wanted; ++i) ::usleep(10'000);
    return server_->counts().of(outcome);
  }
  // A well-behaved client gets its keys.
  bool answers(const std::string& local = "127.0.0.1") {
    KeyTestClient client(at(), local);
    const auto answer = client.establish(files_.authority());
    return answer && answer->ok();
  }

  testing::CertificateFiles files_;
  config::NtsServerConfig config_;
  net::Reactor reactor_;
  sys::Logger logger_{"test", sys::LogLevel::kError};
  std::unique_ptr<KeyServer> server_;
};

TEST_F(KeyServerTest, KES9_establishes_keys_with_eight_cookies) {
  start();
  for (const AeadId aead : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    KeyTestClient client(at());
    const auto answer = client.establish(files_.authority(), aead);
    ASSERT_TRUE(answer && answer->ok());
    const nts::Establishment& got = **answer;
    ASSERT_EQ(got.cookies.size(), 8U);
    EXPECT_EQ(got.keys.aead, aead);
    EXPECT_EQ(got.server, "");
    EXPECT_EQ(got.port, 123);
    // What is in a cookie are the client's own keys.
    crypto::GcryptAeads aeads;
    sys::KernelRandom random;
    nts::Cookies cookies(aeads, random);
    cookies.use(*testing::cookie_keys());
    const auto opened = cookies.open(got.cookies.front());
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, got.keys);
    // RFC 8915 4: the server closes first.
    EXPECT_EQ(client.tls().state(), net::TlsSession::State::kClosed);
  }
  EXPECT_EQ(count(KeReason::kEstablished, 2), 2U);
  EXPECT_EQ(server_->counts().total(), 2U);
  EXPECT_EQ(server_->cookies_made(), 16U);
}

TEST_F(KeyServerTest, KES10_tells_where_its_NTP_is) {
  config_.ntp_servers = {{"ntp.example.org", 124}};
  start();
  KeyTestClient client(at());
  const auto answer = client.establish(files_.authority());
  ASSERT_TRUE(answer && answer->ok());
  EXPECT_EQ((*answer)->server, "ntp.example.org");
  EXPECT_EQ((*answer)->port, 124);
}

TEST_F(KeyServerTest, KES1_takes_a_request_of_one_octet_in_each_record) {
  start();
  KeyTestClient client(at());
  ASSERT_TRUE(client.handshake(files_.authority()));
  nts::KeClientConfig config;
  ASSERT_TRUE(config.aeads.push_back(AeadId::kAesSivCmac256));
  nts::KeClient messages(config);
  // RFC 8915 4: unknown records that are not critical are passed over; 1,024 octets and more.
  std::vector<std::byte> request(1030);
  ByteWriter writer(request);
  const Bytes own = messages.request();
  const std::vector<std::byte> filler(1030 - 4 - own.size());
  wire::nts::write_record({false, 0x4abc, filler}, writer);
  writer.bytes(own);
  ASSERT_EQ(writer.size(), request.size());
  for (const std::byte& octet : request) client.say(Bytes(&octet, 1));
  nts::SessionExporter keys(client.tls());
  const std::vector<std::byte> response = client.hear();
  const auto answer = messages.feed(response, keys);
  ASSERT_TRUE(answer && answer->ok());
}

TEST_F(KeyServerTest, KES3_a_malformed_request_gets_error_1) {
  start();
  KeyTestClient client(at());
  ASSERT_TRUE(client.handshake(files_.authority()));
  const std::vector<std::byte> end_only{std::byte{0x80}, {}, {}, {}};
  client.say(end_only);
  EXPECT_EQ(client.hear(), error_message(1));
  EXPECT_EQ(count(KeReason::kNoProtocol), 1U);
}

TEST_F(KeyServerTest, KES3_a_request_that_ends_too_early_gets_error_1) {
  start();
  KeyTestClient polite(at());
  ASSERT_TRUE(polite.handshake(files_.authority()));
  polite.say(std::vector<std::byte>{std::byte{0x80}});
  polite.tls().close();
  polite.flush();
  EXPECT_EQ(polite.hear(), error_message(1));
  KeyTestClient abrupt(at());
  ASSERT_TRUE(abrupt.handshake(files_.authority()));
  abrupt.say(std::vector<std::byte>{std::byte{0x80}});
  ASSERT_EQ(::shutdown(abrupt.fd(), SHUT_WR), 0);
  EXPECT_EQ(abrupt.hear(), error_message(1));
  EXPECT_EQ(count(KeReason::kEnded, 2), 2U);
}

TEST_F(KeyServerTest, KES3_a_request_that_is_late_gets_error_1) {
  config_.deadline = Duration::milliseconds(300);
  start();
  KeyTestClient client(at());
  ASSERT_TRUE(client.handshake(files_.authority()));
  client.say(std::vector<std::byte>{std::byte{0x80}});
  EXPECT_EQ(client.hear(), error_message(1));
  EXPECT_EQ(count(KeReason::kLate), 1U);
}

TEST_F(KeyServerTest, KES12_without_keys_for_cookies_it_says_internal_error) {
  start();
  server_->set_cookies(nullptr);
  KeyTestClient client(at());
  const auto answer = client.establish(files_.authority());
  ASSERT_TRUE(answer && !answer->ok());
  EXPECT_EQ(answer->error(), nts::KeClientError::kErrorInternal);
  EXPECT_EQ(count(KeReason::kNoCookies), 1U);
}

TEST_F(KeyServerTest, a_handshake_that_drips_is_ended_in_time) {
  config_.deadline = Duration::milliseconds(300);
  start();
  const MonoTime began = sys::mono_now();
  KeyTestClient client(at());
  // The first octets of a handshake record, one at a time, and then no more.
  for (const int octet : {22, 3, 1, 2, 0, 1}) {
    const auto sent = static_cast<char>(octet);
    ASSERT_EQ(::send(client.fd(), &sent, 1, MSG_NOSIGNAL), 1);
    ::usleep(10'000);
  }
  EXPECT_FALSE(client.receive());
  const Duration took = sys::mono_now() - began;
  EXPECT_LT(took, Duration::seconds(4));
  EXPECT_EQ(count(KeyLoss::kHandshakeLate), 1U);
}

TEST_F(KeyServerTest, what_is_no_TLS_is_told_by_an_alert_and_counted) {
  start();
  KeyTestClient client(at());
  ASSERT_EQ(::send(client.fd(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
  EXPECT_EQ(count(net::TlsFault::kNotTls), 1U);
}

TEST_F(KeyServerTest, T3_a_client_that_refuses_the_certificate_is_counted) {
  start();
  KeyTestClient client(at());
  EXPECT_FALSE(client.handshake(net::testing::TestCertificate::authority("Another")));
  client.flush();
  EXPECT_EQ(client.tls().fault(), net::TlsFault::kUntrusted);
  EXPECT_EQ(count(net::TlsFault::kAlert), 1U);
}

TEST_F(KeyServerTest, a_thousand_stalled_connections_leave_others_answered) {
  config_.deadline = Duration::seconds(30);
  start();
  std::vector<std::unique_ptr<KeyTestClient>> stalled;
  for (int i = 0; i < 1000; ++i) stalled.push_back(std::make_unique<KeyTestClient>(at()));
  for (int i = 0; i < 500 && server_->open() < 1000; ++i) ::usleep(10'000);
  ASSERT_EQ(server_->open(), 1000U);
  // Other programs of this machine may hold up an answer, and none of ours: the processor's time
  // of an answer is bounded each time; of the time that passes, one that nobody held up is looked
  // for.
  const Duration limit = Duration::milliseconds(100);
  const MonoTime end = sys::mono_now() + Duration::seconds(20);
  Duration best = Duration::max();
  while (best >= limit && sys::mono_now() < end) {
    const MonoTime began = sys::mono_now();
    const Duration worked = processor_time();
    ASSERT_TRUE(answers());
    EXPECT_LT(processor_time() - worked, limit);
    best = std::min(best, sys::mono_now() - began);
  }
  EXPECT_LT(best, limit);
  EXPECT_GE(server_->open(), 1000U);
}

TEST_F(KeyServerTest, at_the_limit_the_oldest_that_waits_gives_place) {
  config_.limits.connections = 3;
  config_.deadline = Duration::seconds(30);
  start();
  KeyTestClient first(at());
  KeyTestClient second(at());
  KeyTestClient third(at());
  for (int i = 0; i < 500 && server_->open() < 3; ++i) ::usleep(10'000);
  ::usleep(300'000);
  EXPECT_TRUE(answers());
  EXPECT_EQ(count(KeyLoss::kDisplaced), 1U);
  EXPECT_FALSE(first.receive());
}

TEST_F(KeyServerTest, at_the_limit_of_new_ones_a_further_is_refused) {
  config_.limits.connections = 1;
  start();
  KeyTestClient first(at());
  KeyTestClient second(at());
  EXPECT_FALSE(second.receive());
  EXPECT_EQ(count(KeyLoss::kLimitConnections), 1U);
}

TEST_F(KeyServerTest, KES14_a_flood_of_one_address_leaves_others_answered) {
  config_.limits.exempt.clear();
  config_.limits.v4_32_connections = 5;
  config_.limits.address_rate = 0.1;
  config_.limits.address_burst = 20;
  start();
  std::vector<std::unique_ptr<KeyTestClient>> held;
  for (int i = 0; i < 10; ++i) held.push_back(std::make_unique<KeyTestClient>(at(), "127.0.0.2"));
  EXPECT_EQ(count(KeyLoss::kLimitNetwork, 5), 5U);
  held.clear();
  EXPECT_EQ(count(KeyLoss::kLost, 5), 5U);
  for (int i = 0; i < 1000 && server_->counts().of(KeyLoss::kLimitRate) < 10; ++i) {
    KeyTestClient(at(), "127.0.0.2");
  }
  EXPECT_GE(count(KeyLoss::kLimitRate, 10), 10U);
  EXPECT_TRUE(answers("127.0.0.3"));
}

TEST_F(KeyServerTest, goes_on_when_descriptors_were_used_up) {
  start();
  KeyTestClient waiting(at());
  for (int i = 0; i < 500 && server_->open() < 1; ++i) ::usleep(10'000);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The client's own socket is the last that there may be.
  rlimit now = before;
  now.rlim_cur = static_cast<rlim_t>(sys::Fd(::dup(0)).number()) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
  auto late = std::make_unique<KeyTestClient>(at());
  for (int i = 0; i < 500 && server_->counts().accept_errors == 0; ++i) ::usleep(10'000);
  EXPECT_GE(server_->counts().accept_errors, 1U);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  const auto answer = late->establish(files_.authority());
  EXPECT_TRUE(answer && answer->ok());
}

TEST_F(KeyServerTest, keeps_descriptors_in_reserve) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 200;
  few.rlim_max = 200;
  // In a process of its own: the hard limit can't be raised again by everybody.
  const pid_t child = ::fork();
  if (child == 0) {
    ::setrlimit(RLIMIT_NOFILE, &few);
    auto made = KeyServer::create(reactor_, logger_, config_, {});
    const bool fits = made.ok() && (*made)->limit() + KeyServer::kReservedDescriptors < 200;
    ::_exit(fits ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(KeyServerTest, without_threads_the_main_loop_serves) {
  config_.threads = 0;
  start();
  std::atomic<bool> done{false};
  bool answered = false;
  std::thread client([&] {
    answered = answers();
    done = true;
  });
  while (!done) reactor_.run_once(Duration::milliseconds(10));
  client.join();
  EXPECT_TRUE(answered);
}

TEST_F(KeyServerTest, KES13_a_reload_takes_other_certificates_and_keeps_the_good_one) {
  start();
  files_.write("server", wish_for("other.example.org"));
  ASSERT_TRUE(server_->reload(config_, 123).ok());
  KeyTestClient client(at());
  EXPECT_TRUE(client.handshake(files_.authority(), "other.example.org"));
  testing::CertificateFiles::write_text(config_.certificates[0].chain, "rubbish");
  ASSERT_TRUE(server_->reload(config_, 123).ok());
  KeyTestClient again(at());
  EXPECT_TRUE(again.handshake(files_.authority(), "other.example.org"));
}

TEST_F(KeyServerTest, a_reload_tells_what_needs_a_restart) {
  start();
  config::NtsServerConfig next = config_;
  next.limits.connections = 7;
  EXPECT_TRUE(*server_->reload(next, 123));
  EXPECT_EQ(server_->limit(), 7U);
  next.threads = 2;
  EXPECT_FALSE(*server_->reload(next, 123));
  next = config_;
  next.ntp_servers = {{"two words", 123}};
  EXPECT_FALSE(server_->reload(next, 123).ok());
}

TEST_F(KeyServerTest, a_successor_serves_what_waits_in_the_listening_socket) {
  start();
  config_.listen = server_->addresses();
  KeyTestClient begun(at());
  ASSERT_TRUE(begun.handshake(files_.authority()));
  server_->stop();
  KeyTestClient waiting(at());
  net::InheritedSockets inherited;
  ASSERT_TRUE(
      inherited.add(sys::Fd(::fcntl(server_->descriptors().front(), F_DUPFD_CLOEXEC, 0)), 0));
  std::unique_ptr<KeyServer> before = std::move(server_);
  start(&inherited);
  EXPECT_TRUE(inherited.empty());
  const auto answer = waiting.establish(files_.authority());
  EXPECT_TRUE(answer && answer->ok());
  // What began with the process before ends there.
  begun.say(std::vector<std::byte>{std::byte{0x80}, {}, {}, {}});
  EXPECT_EQ(begun.hear(), error_message(1));
  before->drain();
  EXPECT_EQ(before->open(), 0U);
}

TEST(ServedOutcome, every_outcome_has_a_name_of_its_own) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < ServedOutcome::kCount; ++i) names.push_back(name_of_key_outcome(i));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(names.front(), "");
  EXPECT_EQ(name_of_key_outcome(ServedOutcome(KeyLoss::kStopped).index()), "stopped");
  EXPECT_EQ(name_of_key_outcome(ServedOutcome(net::TlsFault::kAlpn).index()), "tls_alpn");
}

}  // namespace
}  // namespace timepool::ntpd
