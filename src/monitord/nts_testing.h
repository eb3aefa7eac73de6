// For tests: a member of a pool with NTS on the test's reactor: key establishment over TLS and NTP
// on loopback, both of which may misbehave.
#pragma once

#include <poll.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "net/tls_testing.h"
#include "net/tls_testing_server.h"
#include "nts/ke_testing.h"
#include "nts/testing_server.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"
#include "wire/ntp/header.h"

namespace timepool::monitord::testing {

class FakeMember {
 public:
  enum class Time {
    kRight,
    kSilent,
    kPlain,      // without any field of NTS
    kForged,     // sealed by another key
    kNak,        // NTSN
    kKiss,       // RATE, proven
    kNoCookies,  // proven, without new cookies
    kUnset,      // proven, not synchronised
    kLosesTwo,   // the third request is answered
  };

  explicit FakeMember(net::Reactor& reactor, const std::string& name = "alice.m.pool.test",
                      const std::string& address = "127.0.0.1")
      : keys_(reactor, context_for(name),
              [this](Bytes, const net::TlsSession& session) { return establish(session); }),
        time_(sys::UdpSocket::bind({parse_ip(address).value(), 0}, {}).value()) {
    watch_ = reactor.watch(time_.fd(), POLLIN, [this](short) { answer(); });
  }

  std::uint16_t port() const { return keys_.endpoint().port; }
  std::string authority_pem() const { return authority_.certificate_pem(); }
  net::testing::TestTlsServer& keys() { return keys_; }
  void set_time(Time time) { manner_ = time; }
  void set_offset(Duration offset) { offset_ = offset; }
  void set_cookies(std::size_t count) { cookies_ = count; }
  void set_named(const std::string& server) { named_ = server; }
  // Instead of the right one.
  void set_response(nts::fake::Octets response) { response_ = std::move(response); }
  int asked() const { return asked_; }
  // Cookies that came again.
  int reused() const { return reused_; }
  const std::vector<MonoTime>& asked_at() const { return asked_at_; }

 private:
  std::shared_ptr<const net::TlsServerContext> context_for(const std::string& name) {
    net::testing::CertificateWish wish;
    wish.dns_names = {name};
    const net::testing::TestCertificate leaf = authority_.issue(wish);
    return net::TlsServerContext::create(
               {net::TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "test").value()})
        .value();
  }
  nts::Cookie next_cookie() {
    nts::Cookie out(100);
    ByteWriter writer(out);
    writer.u32(++serial_);
    return out;
  }
  std::vector<std::byte> establish(const net::TlsSession& session) {
    if (!response_.empty()) return response_;
    nts::SessionExporter exporter(session);
    keys_in_use_ =
        nts::export_session_keys(exporter, AeadId::kAesSivCmac256, nts::GcmSivContext::kCompliant)
            .value();
    namespace type = wire::nts::record_type;
    nts::fake::Message out;
    out.protocol().aeads({15}).numbers(false, type::kPort, {time_.local().port});
    if (!named_.empty()) out.text(false, type::kServer, named_);
    for (std::size_t i = 0; i < cookies_; ++i) out.add(false, type::kCookie, next_cookie());
    return out.end();
  }
  void answer() {
    std::array<std::byte, 2048> buffer;
    while (true) {
      const auto got = time_.receive(buffer);
      if (!got.ok() || !*got) return;
      ++asked_;
      asked_at_.push_back(sys::mono_now());
      const auto reply = reply_to(Bytes(buffer).first((*got)->length));
      if (!reply.empty()) static_cast<void>(time_.send_to(reply, (*got)->from, {}));
    }
  }
  std::vector<std::byte> header_for(const wire::ntp::Header& request) const {
    wire::ntp::Header out;
    out.version = 4;
    out.mode = wire::ntp::Mode::kServer;
    out.stratum = manner_ == Time::kKiss ? 0 : 2;
    if (manner_ == Time::kUnset) out.leap = wire::ntp::Leap::kUnsynchronised;
    out.reference_id = wire::ntp::kKissRate;
    out.precision = -20;
    out.origin = request.transmit;
    out.receive = to_ntp(sys::unix_now() + offset_);
    out.transmit = to_ntp(sys::unix_now() + offset_);
    std::vector<std::byte> octets(wire::ntp::kHeaderSize);
    ByteWriter writer(octets);
    wire::ntp::write_header(out, writer);
    return octets;
  }
  std::vector<std::byte> reply_to(Bytes octets) {
    namespace type = wire::ntp::field_type;
    const auto request = wire::ntp::parse_packet(octets);
    if (!request.ok()) return {};
    const auto* id = request->field(type::kUniqueIdentifier);
    const auto* cookie = request->field(type::kNtsCookie);
    if (id == nullptr || cookie == nullptr || manner_ == Time::kSilent) return {};
    if (!seen_.insert({cookie->body.begin(), cookie->body.end()}).second) ++reused_;
    if (manner_ == Time::kLosesTwo && asked_ < 3) return {};
    const std::vector<std::byte> header = header_for(request->header);
    if (manner_ == Time::kPlain) return header;
    if (manner_ == Time::kNak) return nts::fake::TestServer::nak(header, id->body);
    std::size_t wanted = 1;
    for (const auto& field : request->fields) wanted += field.type == type::kNtsCookiePlaceholder;
    std::array<std::byte, nts::kMaxCookies * 104> plain{};
    ByteWriter writer(plain);
    if (manner_ == Time::kNoCookies || manner_ == Time::kKiss) wanted = 0;
    for (std::size_t i = 0; i < wanted; ++i) {
      wire::ntp::write_field({type::kNtsCookie, next_cookie()}, writer);
    }
    nts::SessionKeys keys = keys_in_use_;
    if (manner_ == Time::kForged) keys.server_to_client[0] ^= std::byte{1};
    return nts::fake::TestServer::seal(header, id->body, keys, writer.written(), ++serial_);
  }

  net::testing::TestCertificate authority_ =
      net::testing::TestCertificate::authority("test authority");
  net::testing::TestTlsServer keys_;
  sys::UdpSocket time_;
  net::Watch watch_;
  Time manner_ = Time::kRight;
  Duration offset_;
  std::size_t cookies_ = 8;
  std::string named_;
  nts::fake::Octets response_;
  nts::SessionKeys keys_in_use_;
  std::uint32_t serial_ = 0;
  std::set<nts::Cookie> seen_;
  int asked_ = 0;
  int reused_ = 0;
  std::vector<MonoTime> asked_at_;
};

}  // namespace timepool::monitord::testing
