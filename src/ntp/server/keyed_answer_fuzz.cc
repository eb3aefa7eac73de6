// Any datagram to a server with keys whose digests are easy to hit: a reply no longer than it,
// under the key and in the length of its own MAC, or a drop with a reason.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"
#include "ntp/server/responder.h"
#include "wire/ntp/packet.h"

namespace {

using namespace timepool;

// The digest of everything is the same octet again and again.
class EasyMac final : public Mac {
 public:
  explicit EasyMac(std::size_t size) : size_(size) {}
  std::size_t size() const override { return size_; }
  void sign(Bytes, MutableBytes digest) const override {
    std::fill(digest.begin(), digest.end(), kOctet);
  }
  bool verify(Bytes, Bytes digest) const override {
    return std::all_of(digest.begin(), digest.end(), [](std::byte b) { return b == kOctet; });
  }

 private:
  static constexpr std::byte kOctet{0x5a};
  std::size_t size_;
};

std::shared_ptr<const ntp::KeyRing> ring() {
  std::vector<std::shared_ptr<const ntp::SymmetricKey>> keys;
  for (const auto& [id, type] : {std::pair{1U, MacType::kAes128Cmac},
                                 {2U, MacType::kSha1},
                                 {3U, MacType::kSha256},
                                 {0x10002U, MacType::kSha512}}) {
    keys.push_back(std::make_shared<ntp::SymmetricKey>(
        id, type, 1, std::vector<Prefix>(), std::make_unique<EasyMac>(digest_size(type))));
  }
  return std::make_shared<ntp::KeyRing>(std::move(keys));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::shared_ptr<const ntp::KeyRing> keys = ring();
  if (size < 1 || size > 2049) return 0;
  ntp::Service service;
  service.keys = keys;
  if ((data[0] & 1) != 0) {
    service.state.leap = wire::ntp::Leap::kNone;
    service.state.stratum = 2;
  }
  ntp::Responder responder({.interleaved_replies = 4});
  const ntp::RxInfo rx{
      UnixTime::from_seconds(1'790'000'000), {IpAddress::v4(0xc0000263), 40000, 0}, {}};
  const Bytes bytes = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<std::byte> buffer(bytes.begin(), bytes.end());
  buffer.resize(std::max(buffer.size(), wire::ntp::kHeaderSize));
  // Over the request itself, as the program does.
  const ntp::Response response =
      responder.respond(rx, Bytes(buffer).first(bytes.size()), service, buffer);
  CHECK(response.length <= bytes.size());
  CHECK((response.verdict == ntp::Verdict::kReply) == (response.length > 0));
  CHECK(is_answered(response.reason) == (response.verdict == ntp::Verdict::kReply));
  if (response.verdict == ntp::Verdict::kDrop) return 0;
  const MutableBytes reply = MutableBytes(buffer).first(response.length);
  responder.finish(response, service, rx.received, reply);
  const auto asked = wire::ntp::parse_packet(bytes);
  const auto answer = wire::ntp::parse_packet(reply);
  CHECK(asked.ok() && answer.ok() && answer->header.mode == wire::ntp::Mode::kServer);
  CHECK(answer->mac.key_id == asked->mac.key_id && answer->mac.size() == asked->mac.size());
  if (response.key != 0) {
    CHECK(keys->verify(response.key, reply.first(wire::ntp::kHeaderSize), answer->mac.digest, {}) ==
          ntp::MacVerdict::kAuthentic);
  }
  return 0;
}
