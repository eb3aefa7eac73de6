// Any datagram as the reply to an NTS request: no crash, nothing but what our key sealed is
// authentic, and what it brings is bounded. The first octet says whether the rest is taken as a
// datagram, or as the sealed text of an authentic one.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "nts/testing_server.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  if (size == 0 || size > 1500) return 0;
  nts::fake::TestServer server(1);
  const nts::Establishment session = server.establish();
  nts::UniqueId id{};
  id[0] = std::byte{9};
  const Bytes input = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<std::byte> datagram(input.begin(), input.end());
  const bool sealed = (data[0] & 1) != 0;
  if (sealed) {
    std::vector<std::byte> header(wire::ntp::kHeaderSize);
    ByteWriter writer(header);
    wire::ntp::Header plain;
    plain.version = 4;
    wire::ntp::write_header(plain, writer);
    // A field's length is a multiple of four.
    const Bytes text = input.first(input.size() / 4 * 4);
    datagram = nts::fake::TestServer::seal(header, id, session.keys, text, 3);
  }
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) return 0;
  nts::fake::TestAead aead(session.keys.aead);
  aead.set_key(session.keys.s2c());
  std::array<std::byte, nts::kMaxSealed> plain{};
  const nts::ReplyFields fields = nts::read_reply(*packet, datagram, id, aead, plain);
  CHECK(!nts::name_of(fields.verdict).empty());
  CHECK(sealed == (fields.verdict == nts::ReplyVerdict::kAuthentic));
  for (const Bytes cookie : fields.cookies) CHECK(cookie.size() <= plain.size());
  return 0;
}
