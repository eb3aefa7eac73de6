#include "net/tls_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "net/tls_testing.h"

namespace timepool::net {
namespace {

using State = TlsSession::State;
using testing::CertificateWish;
using testing::KeyKind;
using testing::TestCertificate;

constexpr std::string_view kHost = "time.example.org";
const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);  // 2026-11-18
const UnixTime kLongAgo = UnixTime::from_seconds(1'000'000'000);

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

CertificateWish wish_for(std::string_view host) {
  CertificateWish out;
  out.dns_names.emplace_back(host);
  return out;
}

TlsCertificate parsed(const TestCertificate& leaf) {
  auto out = TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "test");
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}

std::shared_ptr<const TlsServerContext> server_context(std::vector<TestCertificate> certificates,
                                                       std::string protocol = "ntske/1") {
  std::vector<TlsCertificate> shown;
  for (const TestCertificate& it : certificates) shown.push_back(parsed(it));
  auto out = TlsServerContext::create(std::move(shown), {.protocol = std::move(protocol)});
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}

std::shared_ptr<const TlsClientContext> client_context(const TlsClientOptions& options) {
  auto out = TlsClientContext::create(options);
  EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().text());
  return std::move(out).value();
}

std::shared_ptr<const TlsClientContext> trusting(const TestCertificate& authority) {
  TlsClientOptions options;
  options.ca_pem = authority.certificate_pem();
  return client_context(options);
}

std::unique_ptr<TlsSession> client_of(std::shared_ptr<const TlsClientContext> context,
                                      const TlsPeer& peer) {
  auto out = TlsSession::client(std::move(context), peer);
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}

TlsPeer peer_at(UnixTime now, std::string name = std::string(kHost)) {
  return {std::move(name), {TlsDates::Check::kAt, now}};
}

// What `from` has to send goes to `to` in pieces. True if there was some.
bool carry(TlsSession& from, TlsSession& to, std::size_t piece) {
  bool moved = false;
  while (!from.outgoing().empty()) {
    const std::size_t count = std::min(piece, from.outgoing().size());
    to.feed(from.outgoing().first(count));
    from.sent(count);
    moved = true;
  }
  return moved;
}

void pump(TlsSession& a, TlsSession& b, std::size_t piece = 4096) {
  while (carry(a, b, piece) || carry(b, a, piece)) {
  }
}

std::string read_all(TlsSession& session) {
  std::string out;
  std::array<std::byte, 100> buffer;
  while (const std::size_t n = session.read(buffer)) out += text_of(Bytes(buffer).first(n));
  return out;
}

// A server with one certificate of one authority, and a client that trusts it.
class TlsPair : public ::testing::Test {
 protected:
  void handshake(const TestCertificate& shown, const TlsPeer& peer, std::size_t piece = 4096) {
    server_ = TlsSession::server(server_context({shown}));
    client_ = client_of(trusting(authority_), peer);
    pump(*client_, *server_, piece);
  }
  void expect_refused(const TestCertificate& shown, const TlsPeer& peer, TlsFault fault) {
    handshake(shown, peer);
    EXPECT_EQ(client_->state(), State::kFailed);
    EXPECT_EQ(client_->fault(), fault) << client_->fault_text();
    EXPECT_EQ(server_->state(), State::kFailed);
    EXPECT_EQ(server_->fault(), TlsFault::kAlert) << server_->fault_text();
  }

  TestCertificate authority_ = TestCertificate::authority("Test authority");
  TestCertificate leaf_ = authority_.issue(wish_for(kHost));
  std::unique_ptr<TlsSession> server_;
  std::unique_ptr<TlsSession> client_;
};

TEST_F(TlsPair, T1_speaks_tls_1_3_and_carries_text_both_ways) {
  handshake(leaf_, peer_at(kNow));
  ASSERT_EQ(client_->state(), State::kOpen) << client_->fault_text();
  ASSERT_EQ(server_->state(), State::kOpen) << server_->fault_text();
  EXPECT_EQ(client_->version(), "TLSv1.3");
  EXPECT_EQ(server_->cipher(), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(server_->server_name(), kHost);
  client_->write(bytes_of("request"));
  pump(*client_, *server_);
  EXPECT_EQ(read_all(*server_), "request");
  server_->write(bytes_of(std::string(70'000, 'x')));
  pump(*client_, *server_);
  EXPECT_EQ(read_all(*client_).size(), 70'000U);
}

TEST_F(TlsPair, goes_through_one_octet_at_a_time) {
  handshake(leaf_, peer_at(kNow), 1);
  ASSERT_EQ(client_->state(), State::kOpen) << client_->fault_text();
  client_->write(bytes_of("request"));
  carry(*client_, *server_, 1);
  EXPECT_EQ(read_all(*server_), "request");
}

TEST_F(TlsPair, T4_both_say_that_they_close) {
  handshake(leaf_, peer_at(kNow));
  server_->write(bytes_of("last"));
  server_->close();
  pump(*client_, *server_);
  EXPECT_EQ(read_all(*client_), "last");
  EXPECT_EQ(client_->state(), State::kClosed);
  client_->close();
  pump(*client_, *server_);
  EXPECT_EQ(read_all(*server_), "");
  EXPECT_EQ(server_->state(), State::kClosed);
  server_->end();
  EXPECT_EQ(server_->state(), State::kClosed);
}

TEST_F(TlsPair, an_end_without_close_notify_is_told) {
  handshake(leaf_, peer_at(kNow));
  client_->end();
  EXPECT_EQ(client_->fault(), TlsFault::kTruncated);
}

TEST_F(TlsPair, T5_gives_no_tickets) {
  handshake(leaf_, peer_at(kNow));
  // After the handshake the server has nothing more to say by itself.
  EXPECT_TRUE(server_->outgoing().empty());
  EXPECT_EQ(read_all(*client_), "");
  EXPECT_EQ(client_->state(), State::kOpen);
}

TEST_F(TlsPair, T6_both_export_the_same_keys_and_others_for_another_context) {
  handshake(leaf_, peer_at(kNow));
  constexpr std::string_view kLabel = "EXPORTER-network-time-security";
  std::array<std::byte, 32> a{};
  std::array<std::byte, 32> b{};
  ASSERT_TRUE(client_->export_key(kLabel, bytes_of({"\0\0\0\x0f\0", 5}), a));
  ASSERT_TRUE(server_->export_key(kLabel, bytes_of({"\0\0\0\x0f\0", 5}), b));
  EXPECT_EQ(a, b);
  ASSERT_TRUE(server_->export_key(kLabel, bytes_of({"\0\0\0\x0f\1", 5}), b));
  EXPECT_NE(a, b);
}

TEST_F(TlsPair, exports_nothing_before_the_handshake) {
  const auto session = TlsSession::server(server_context({leaf_}));
  std::array<std::byte, 32> out{};
  EXPECT_FALSE(session->export_key("label", {}, out));
}

TEST_F(TlsPair, T3_refuses_other_names) {
  expect_refused(leaf_, peer_at(kNow, "other.example.org"), TlsFault::kWrongName);
  EXPECT_EQ(client_->fault_text(),
            "the certificate is for other names: it is for time.example.org");
}

TEST_F(TlsPair, T3_a_common_name_is_no_name) {
  CertificateWish wish;
  wish.common_name = kHost;
  expect_refused(authority_.issue(wish), peer_at(kNow), TlsFault::kWrongName);
}

TEST_F(TlsPair, T3_takes_a_wildcard_for_one_label) {
  const TestCertificate wild = authority_.issue(wish_for("*.example.org"));
  handshake(wild, peer_at(kNow));
  EXPECT_EQ(client_->state(), State::kOpen);
  expect_refused(wild, peer_at(kNow, "a.b.example.org"), TlsFault::kWrongName);
}

TEST_F(TlsPair, T3_checks_an_address_when_there_is_no_name) {
  CertificateWish wish;
  wish.addresses = {parse_ip("192.0.2.1").value(), parse_ip("2001:db8::1").value()};
  const TestCertificate shown = authority_.issue(wish);
  handshake(shown, peer_at(kNow, "2001:db8::1"));
  EXPECT_EQ(client_->state(), State::kOpen) << client_->fault_text();
  EXPECT_EQ(server_->server_name(), "");
  expect_refused(shown, peer_at(kNow, "192.0.2.2"), TlsFault::kWrongName);
}

TEST_F(TlsPair, takes_a_name_with_a_final_dot) {
  handshake(leaf_, peer_at(kNow, "time.example.org."));
  EXPECT_EQ(client_->state(), State::kOpen) << client_->fault_text();
}

TEST_F(TlsPair, refuses_an_expired_certificate) {
  expect_refused(leaf_, peer_at(UnixTime::from_seconds(2'100'000'000)), TlsFault::kExpired);
  EXPECT_EQ(client_->fault_text(), "the certificate has expired: it ended on 2036-01-01T00:00:00Z");
}

TEST_F(TlsPair, refuses_a_certificate_that_is_not_valid_yet) {
  expect_refused(leaf_, peer_at(kLongAgo), TlsFault::kNotYetValid);
}

TEST_F(TlsPair, KEC9_ignores_dates_where_told_and_tells_them) {
  TlsPeer peer = peer_at(kLongAgo);
  peer.dates.check = TlsDates::Check::kIgnored;
  handshake(leaf_, peer);
  ASSERT_EQ(client_->state(), State::kOpen) << client_->fault_text();
  ASSERT_NE(client_->certificate(), nullptr);
  EXPECT_EQ(format_utc(client_->certificate()->not_before, 0), "2026-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(client_->certificate()->not_after, 0), "2036-01-01T00:00:00Z");
}

TEST_F(TlsPair, KEC9_since_refuses_what_ended_before_the_last_known_time) {
  TlsPeer peer = peer_at(kLongAgo);
  peer.dates.check = TlsDates::Check::kSince;
  handshake(leaf_, peer);
  EXPECT_EQ(client_->state(), State::kOpen) << client_->fault_text();
  peer.dates.time = UnixTime::from_seconds(2'100'000'000);
  expect_refused(leaf_, peer, TlsFault::kExpired);
}

TEST_F(TlsPair, refuses_a_self_signed_certificate) {
  expect_refused(TestCertificate::self_signed(wish_for(kHost)), peer_at(kNow),
                 TlsFault::kSelfSigned);
}

TEST_F(TlsPair, refuses_an_authority_that_nobody_knows) {
  const TestCertificate stranger = TestCertificate::authority("Stranger");
  expect_refused(stranger.issue(wish_for(kHost)), peer_at(kNow), TlsFault::kUntrusted);
  EXPECT_EQ(client_->fault_text(),
            "the certificate leads to nobody who is trusted: issued by CN=Stranger");
}

TEST_F(TlsPair, tells_a_fault_that_is_not_enforced) {
  TlsPeer peer = peer_at(kNow, "other.example.org");
  peer.enforced = false;
  handshake(leaf_, peer);
  EXPECT_EQ(client_->state(), State::kOpen);
  EXPECT_EQ(client_->certificate_fault(), TlsFault::kWrongName);
  EXPECT_EQ(client_->certificate()->subject, "CN=test");
}

TEST_F(TlsPair, a_pin_is_asked_for_beside_the_chain) {
  TlsClientOptions options;
  options.ca_pem = authority_.certificate_pem();
  options.pins = {parsed(leaf_).info().key_hash};
  server_ = TlsSession::server(server_context({leaf_}));
  client_ = client_of(client_context(options), peer_at(kNow));
  pump(*client_, *server_);
  EXPECT_EQ(client_->state(), State::kOpen);

  server_ = TlsSession::server(server_context({authority_.issue(wish_for(kHost))}));
  client_ = client_of(client_context(options), peer_at(kNow));
  pump(*client_, *server_);
  EXPECT_EQ(client_->fault(), TlsFault::kPin);
}

TEST_F(TlsPair, pins_may_suffice_but_name_and_dates_hold) {
  const TestCertificate lone = TestCertificate::self_signed(wish_for(kHost));
  TlsClientOptions options;
  options.pins = {parsed(lone).info().key_hash};
  options.pins_suffice = true;
  const auto context = client_context(options);
  const auto fault_for = [&](const TlsPeer& peer, const TestCertificate& shown) {
    server_ = TlsSession::server(server_context({shown}));
    client_ = client_of(context, peer);
    pump(*client_, *server_);
    return client_->fault();
  };
  EXPECT_EQ(fault_for(peer_at(kNow), lone), TlsFault::kNone);
  EXPECT_EQ(fault_for(peer_at(kNow, "other.example.org"), lone), TlsFault::kWrongName);
  EXPECT_EQ(fault_for(peer_at(kLongAgo), lone), TlsFault::kNotYetValid);
  EXPECT_EQ(fault_for(peer_at(kNow), leaf_), TlsFault::kPin);
}

TEST_F(TlsPair, T2_a_server_without_the_protocol_ends_it_by_an_alert) {
  server_ = TlsSession::server(server_context({leaf_}, "other/1"));
  client_ = client_of(trusting(authority_), peer_at(kNow));
  pump(*client_, *server_);
  EXPECT_EQ(server_->fault(), TlsFault::kAlpn) << server_->fault_text();
  EXPECT_EQ(client_->fault(), TlsFault::kAlpn) << client_->fault_text();
}

TEST_F(TlsPair, chooses_by_the_name_exactly_then_by_wildcard_then_the_first) {
  const auto context = server_context({authority_.issue(wish_for("first.example.org")),
                                       authority_.issue(wish_for("*.example.org")), leaf_});
  EXPECT_EQ(context->chosen(""), 0U);
  EXPECT_EQ(context->chosen("unknown.test"), 0U);
  EXPECT_EQ(context->chosen("TIME.example.org."), 2U);
  EXPECT_EQ(context->chosen("any.example.org"), 1U);
  EXPECT_EQ(context->chosen("a.b.example.org"), 0U);
  server_ = TlsSession::server(context);
  client_ = client_of(trusting(authority_), peer_at(kNow));
  pump(*client_, *server_);
  ASSERT_EQ(client_->state(), State::kOpen) << client_->fault_text();
  EXPECT_EQ(client_->certificate()->dns_names, std::vector<std::string>{std::string(kHost)});
}

// A client hello of TLS 1.2 (RFC 5246 7.4.1.2), as an old client sends it.
std::vector<std::byte> old_hello() {
  std::vector<unsigned char> body{3, 3};
  body.insert(body.end(), 32, 7);                  // random
  body.insert(body.end(), {0, 0, 2, 0xc0, 0x2b});  // no session; one cipher suite
  body.insert(body.end(), {1, 0, 0, 0});           // no compression, no extensions
  std::vector<unsigned char> out{22, 3, 1, 0, static_cast<unsigned char>(body.size() + 4)};
  out.insert(out.end(), {1, 0, 0, static_cast<unsigned char>(body.size())});
  out.insert(out.end(), body.begin(), body.end());
  const Bytes bytes = std::as_bytes(std::span(out));
  return {bytes.begin(), bytes.end()};
}

TEST_F(TlsPair, T1_a_hello_of_tls_1_2_gets_an_alert) {
  server_ = TlsSession::server(server_context({leaf_}));
  server_->feed(old_hello());
  EXPECT_EQ(server_->fault(), TlsFault::kVersion) << server_->fault_text();
  // RFC 8446 6: a fatal alert, protocol_version.
  const Bytes alert = server_->outgoing();
  ASSERT_EQ(alert.size(), 7U);
  EXPECT_EQ(std::to_integer<int>(alert[0]), 21);
  EXPECT_EQ(std::to_integer<int>(alert[5]), 2);
  EXPECT_EQ(std::to_integer<int>(alert[6]), 70);
}

TEST_F(TlsPair, tells_what_is_no_tls) {
  for (const std::string_view text : {"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-other\r\n"}) {
    server_ = TlsSession::server(server_context({leaf_}));
    server_->feed(bytes_of(text));
    EXPECT_EQ(server_->fault(), TlsFault::kNotTls) << server_->fault_text();
  }
}

TEST_F(TlsPair, what_is_not_read_is_bounded) {
  handshake(leaf_, peer_at(kNow));
  const std::vector<std::byte> much(TlsSession::kMaxUnread, std::byte{1});
  server_->feed(much);
  EXPECT_EQ(server_->state(), State::kOpen);
  server_->feed(bytes_of("x"));
  EXPECT_EQ(server_->fault(), TlsFault::kProtocol);
}

TEST_F(TlsPair, a_changed_octet_ends_it) {
  handshake(leaf_, peer_at(kNow));
  client_->write(bytes_of("request"));
  std::vector<std::byte> sent(client_->outgoing().begin(), client_->outgoing().end());
  sent.back() ^= std::byte{1};
  server_->feed(sent);
  EXPECT_EQ(read_all(*server_), "");
  EXPECT_EQ(server_->fault(), TlsFault::kProtocol) << server_->fault_text();
}

TEST(TlsClient, refuses_what_is_no_name) {
  const TestCertificate authority = TestCertificate::authority("a");
  const auto context = trusting(authority);
  EXPECT_FALSE(TlsSession::client(context, {"", {}}).ok());
  EXPECT_FALSE(TlsSession::client(context, {"two words", {}}).ok());
  EXPECT_FALSE(TlsSession::client(context, {std::string(254, 'a'), {}}).ok());
}

TEST(TlsClient, needs_somebody_to_trust) {
  EXPECT_FALSE(TlsClientContext::create({}).ok());
  TlsClientOptions options;
  options.ca_files = {"/nonexistent/ca.pem"};
  EXPECT_EQ(TlsClientContext::create(options).error().code, ErrorCode::kNotFound);
  options.ca_files.clear();
  options.ca_pem = "rubbish";
  EXPECT_FALSE(TlsClientContext::create(options).ok());
}

}  // namespace
}  // namespace timepool::net
