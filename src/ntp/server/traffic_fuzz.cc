// The whole server with all that it can do, and any sequence of datagrams from a few addresses
// while time goes on. The first octet says what is on; then for each datagram: what the harness
// does with it, who sends it, how long after the last, its length in four octets, and its octets.
// The harness signs what it is told to, and puts the name of the last reply where interleaved mode
// has it, since neither can be guessed. A request that it puts under NTS has the datagram's octets
// where the fields' sizes and changes to them are told.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "ntp/server/key_test_support.h"
#include "ntp/server/responder.h"
#include "nts/testing.h"
#include "nts/testing_client.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::kHeaderSize;
using wire::ntp::Mode;
using Octets = std::vector<std::byte>;

constexpr std::size_t kMaxDatagram = 2048;
constexpr std::size_t kMaxDatagrams = 512;
constexpr std::size_t kRecordHead = 4;
constexpr std::size_t kClients = 32;
constexpr std::byte kUntouched{0xee};
constexpr UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
constexpr MonoTime kMonoStart = MonoTime::from_ns(1'000'000'000);

// What is on.
constexpr unsigned kSynchronised = 1;
constexpr unsigned kInterleaved = 2;
constexpr unsigned kKeys = 4;
constexpr unsigned kAccess = 8;
constexpr unsigned kLimits = 16;
constexpr unsigned kKisses = 32;
constexpr unsigned kSmeared = 64;  // and the clock's state gets too old
constexpr unsigned kNts = 128;

// What the harness does.
constexpr unsigned kSign = 1;
constexpr unsigned kSignWhole = 2;
constexpr unsigned kNameLastReply = 4;
constexpr unsigned kInPlace = 8;
constexpr unsigned kLikeAClient = 16;
constexpr unsigned kUnderNts = 32;
constexpr unsigned kNewCookieKeys = 64;

const std::array<Endpoint, 8> kSenders = {{
    {IpAddress::v4(0xc000020a), 40000, 0},
    {IpAddress::v4(0xc000020a), 123, 0},
    {IpAddress::v4(0xc000020b), 0, 0},
    {IpAddress::v4(0xc6336407), 40000, 0},  // denied
    {parse_endpoint("[2001:db8::1]:40000").value()},
    {parse_endpoint("[2001:db8::2]:40000").value()},
    {parse_endpoint("[2001:db8:1::1]:123").value()},
    {IpAddress::v4(0xe0000101), 123, 0},  // multicast
}};
constexpr std::size_t kDenied = 3;
constexpr std::size_t kMulticast = 7;

Service service_of(unsigned on) {
  Service out;
  if ((on & kSynchronised) != 0) {
    out.state.leap = wire::ntp::Leap::kNone;
    out.state.stratum = 2;
    out.state.reference_id = wire::ntp::ReferenceId::from_bits(0xc0000201);
    out.state.reference_time = kStart;
  }
  if ((on & kSmeared) != 0) {
    out.state.made = out.state.reference_time = kStart;
    out.state.shift = {.from = kStart,
                       .offset = Duration::milliseconds(-250),
                       .rate = -10e-6,
                       .knee = kStart + Duration::seconds(100),
                       .rate_after_knee = 0,
                       .step = Duration::seconds(-1),
                       .step_at = kStart + Duration::seconds(50),
                       .wall = wall_of(kStart, kMonoStart)};
  }
  if ((on & kKeys) != 0) {
    out.keys = std::make_shared<KeyRing>(
        std::vector{test_key(1, 11), test_key(2, 12, MacType::kSha256),
                    test_key(3, 13, MacType::kSha512, {parse_prefix("192.0.2.0/24").value()})});
  }
  if ((on & kAccess) != 0) {
    const std::vector<Prefix> deny = {parse_prefix("198.51.100.0/24").value()};
    out.access = std::make_shared<AccessList>(
        std::make_shared<const AccessRules>(AccessRules::build({}, deny).value()),
        std::vector<AccessList::Interface>{});
  }
  if ((on & kNts) != 0) {
    out.cookies = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(1));
  }
  out.limits.enabled = (on & kLimits) != 0;
  out.limits.address = BucketRate::of(1, 2);
  out.limits.networks.fill(BucketRate::of(2, 4));
  out.limits.newcomers = BucketRate::of(4, 4);
  out.limits.leak = 4;
  out.limits.kiss = (on & kKisses) != 0 ? 2 : 0;
  return out;
}

class World {
 public:
  explicit World(unsigned on)
      : service_(service_of(on)),
        responder_({(on & kInterleaved) != 0 ? std::size_t{8} : 0,
                    kClients,
                    {{1, 2}, 3},
                    std::make_shared<nts::fake::TestAeadMaker>(),
                    std::make_shared<nts::fake::SeededRandom>(1)}),
        octets_(responder_.limiter()->octets()) {
    maker_.use(nts::fake::cookie_keys(1));
  }

  void receive(unsigned deed, std::size_t who, Octets request) {
    rx_.client = kSenders[who];
    rx_.local = {IpAddress::v4(0xc000027b), wire::ntp::kNtpPort, 0};
    if ((deed & kNewCookieKeys) != 0 && service_.cookies) {
      const auto keys = nts::fake::cookie_keys(service_.cookies->serial + 1);
      service_.cookies = std::make_shared<nts::CookieKeys>(keys);
    }
    if ((deed & kUnderNts) != 0) put_under_nts(request);
    prepare(deed, request);
    const Octets asked = request;
    const bool in_place = (deed & kInPlace) != 0 && request.size() >= kHeaderSize;
    Octets out = in_place ? request : Octets(std::max(request.size(), kHeaderSize), kUntouched);
    responder_.begin_batch(service_, rx_.received, rx_.now);
    const Response response =
        responder_.respond(rx_, in_place ? Bytes(out) : Bytes(asked), service_, out);
    check(who, asked, response);
    if (response.verdict == Verdict::kDrop) return;
    finish(response, out);
    if (!in_place) {
      CHECK(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(response.length), out.end(),
                        [](std::byte it) { return it == kUntouched; }));
    }
    out.resize(response.length);
    check_reply(asked, response, out);
  }

  void pass(std::uint8_t wait) {
    const Duration span = Duration::milliseconds(wait < 128 ? wait : (wait - 127) * 1000);
    rx_.received = rx_.received + span;
    rx_.now = rx_.now + span;
  }

 private:
  // A client's request, under keys that lie in a good cookie; then some of it is changed.
  void put_under_nts(Octets& request) {
    const auto at = [&](std::size_t i) {
      return i < request.size() ? std::to_integer<std::size_t>(request[i]) : 0;
    };
    const AeadId id = at(0) % 2 == 0 ? AeadId::kAesSivCmac256 : AeadId::kAes128GcmSiv;
    session_ = nts::fake::session_keys(id, 1);
    nts::fake::RequestShape shape;
    shape.unique_id = 24 + at(1) % 16 * 4;
    shape.placeholders = at(2) % 10;
    shape.sealed_placeholders = at(3) % 4;
    shape.padding = at(4) % 8 * 4;
    shape.behind = at(5) % 4 == 1 ? 40 : 0;
    const auto aead = nts::fake::TestAeadMaker().make(id);
    Octets out = nts::fake::make_request(session_, nts::fake::make_cookie(maker_, session_), *aead,
                                         random_, shape);
    for (std::size_t i = 6; i + 3 <= request.size() && i < 18; i += 3) {
      out[(at(i) * 256 + at(i + 1)) % out.size()] = request[i + 2];
    }
    out.resize(std::min(out.size(), kMaxDatagram));
    request = std::move(out);
  }

  void prepare(unsigned deed, Octets& request) {
    if ((deed & kLikeAClient) != 0) {
      request.resize(std::max(request.size() / 4 * 4, kHeaderSize));
      request[0] = (request[0] & std::byte{0xd8}) | std::byte{3};
    }
    if (request.size() < kHeaderSize) return;
    if ((deed & kNameLastReply) != 0) {
      ByteReader reader(request);
      Header header = wire::ntp::read_header(reader);
      header.origin = last_receive_;
      ByteWriter writer(request);
      wire::ntp::write_header(header, writer);
    }
    if ((deed & (kSign | kSignWhole)) == 0 || !service_.keys) return;
    const SymmetricKey& key = *service_.keys->find(1 + static_cast<KeyId>(request[1]) % 3);
    const std::size_t whole = digest_size(key.type());
    Octets mac(4 + ((deed & kSignWhole) != 0 ? whole : std::min(whole, kMaxShortDigest)));
    if (request.size() + mac.size() > kMaxDatagram) return;
    mac[3] = static_cast<std::byte>(key.id());
    key.sign(request, MutableBytes(mac).subspan(4));
    request.insert(request.end(), mac.begin(), mac.end());
  }

  void check(std::size_t who, Bytes request, const Response& response) {
    CHECK(static_cast<std::size_t>(response.reason) < kReasonCount);
    const bool replied = is_answered(response.reason) || is_kiss(response.reason);
    CHECK((response.verdict == Verdict::kReply) == replied);
    CHECK((response.length > 0) == replied);
    CHECK(response.length <= request.size());
    CHECK(responder_.limiter()->octets() == octets_);
    CHECK(responder_.limiter()->table().used() <= kClients);
    if (service_.access && who == kDenied) CHECK(!replied);
    if (!service_.limits.enabled) {
      CHECK(response.reason != Reason::kRateLimited && response.reason != Reason::kRateKod);
    }
    CHECK(service_.cookies || response.nts == 0);
    if (!replied) return;
    // Only a client's request is answered, and one that has a port.
    ByteReader reader(request);
    const Header asked = wire::ntp::read_header(reader);
    CHECK(wire::ntp::effective_mode(asked, rx_.client.port) == Mode::kClient);
    CHECK(rx_.client.port != 0 && who != kMulticast);
  }

  void finish(const Response& response, Octets& out) {
    const MutableBytes reply = MutableBytes(out).first(response.length);
    responder_.finish(response, service_, rx_.received + Duration::microseconds(7), reply);
    responder_.sent(response, service_, rx_.received + Duration::microseconds(9));
    responder_.correct(response, service_, rx_.received + Duration::microseconds(8));
  }

  void check_reply(Bytes request, const Response& response, const Octets& reply) {
    const auto packet = wire::ntp::parse_packet(reply);
    CHECK(packet.ok());
    const Header& header = packet->header;
    ByteReader reader(request);
    const Header asked = wire::ntp::read_header(reader);
    CHECK(header.mode == Mode::kServer && header.version == asked.version);
    check_fields(request, response, *packet, reply);
    CHECK(header.origin == asked.transmit || header.origin == asked.receive);
    const bool good = service_.state.vouches(rx_.received) && !is_kiss(response.reason);
    CHECK(good == (header.leap != wire::ntp::Leap::kUnsynchronised));
    CHECK(good == (header.stratum != 0));
    if (is_kiss(response.reason)) {
      const bool rate = response.reason == Reason::kRateKod;
      CHECK(wire::ntp::kiss_code(header.stratum, header.reference_id) ==
            (rate ? wire::ntp::KissCode::kRate : wire::ntp::KissCode::kNtsn));
      CHECK(rate || packet->fields.size() == 1);
    } else {
      last_receive_ = header.receive;
    }
    check_mac(response, *packet, reply);
    check_no_reply_to(reply);
  }

  // RFC 8915 5.7: the unique identifier of the request and, under NTS, the proof; nothing else.
  void check_fields(Bytes request, const Response& response, const wire::ntp::Packet& packet,
                    Bytes reply) {
    CHECK(packet.fields.size() <= (response.nts == 0 ? 1U : 2U));
    if (packet.fields.empty()) return;
    const auto& id = packet.fields[0];
    CHECK(id.type == wire::ntp::field_type::kUniqueIdentifier);
    const auto asked = wire::ntp::parse_packet(request);
    CHECK(asked.ok());
    const auto* asked_id = asked->field(wire::ntp::field_type::kUniqueIdentifier);
    CHECK(asked_id != nullptr && std::ranges::equal(asked_id->body, id.body));
    if (response.nts == 0) return;
    const auto aead = nts::fake::TestAeadMaker().make(session_.aead);
    const auto content = nts::fake::read_reply(reply, session_, *aead);
    CHECK(content && !content->cookies.empty());
    CHECK(content->cookies.size() <= nts::kMaxNewCookies);
  }

  void check_mac(const Response& response, const wire::ntp::Packet& packet, Bytes reply) {
    const bool keyed = packet.mac.kind != wire::ntp::MacKind::kNone;
    if (response.reason == Reason::kAnsweredKeyed) CHECK(keyed);
    if (!keyed) return;
    CHECK(service_.keys);
    CHECK(service_.keys->verify(packet.mac.key_id, reply.first(kHeaderSize), packet.mac.digest,
                                rx_.client.address) == MacVerdict::kAuthentic);
  }

  // Two servers can't keep each other busy, whatever port the reply seems to come from.
  void check_no_reply_to(const Octets& reply) {
    Octets out(std::max(reply.size(), kHeaderSize));
    for (const std::uint16_t port : {std::uint16_t{123}, std::uint16_t{40'000}}) {
      RxInfo back = rx_;
      back.client.port = port;
      CHECK(responder_.respond(back, reply, service_, out).verdict == Verdict::kDrop);
    }
  }

  Service service_;
  Responder responder_;
  std::size_t octets_;
  RxInfo rx_{kStart, {}, {}, 0, kMonoStart};
  NtpTimestamp last_receive_;
  nts::fake::SeededRandom random_{2};
  nts::Cookies maker_{nts::fake::TestAeadMaker(), random_};
  nts::SessionKeys session_;
};

}  // namespace
}  // namespace timepool::ntp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool::ntp;
  if (size < 1) return 0;
  World world(data[0]);
  std::size_t at = 1;
  for (std::size_t i = 0; i < kMaxDatagrams && at + kRecordHead <= size; ++i) {
    const std::uint8_t* head = data + at;
    const std::size_t length = std::min<std::size_t>(head[3] * 9U, kMaxDatagram);
    at += kRecordHead;
    const std::size_t taken = std::min(length, size - at);
    Octets request(taken);
    std::copy_n(reinterpret_cast<const std::byte*>(data + at), taken, request.begin());
    at += taken;
    world.pass(head[2]);
    world.receive(head[0], head[1] % kSenders.size(), std::move(request));
  }
  return 0;
}
