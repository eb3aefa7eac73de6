// Any fields behind a header, as they are or with a good cookie and a good proof put in: a verdict,
// and to what is authentic a reply as long as the request whose cookies open.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "nts/answerer.h"
#include "nts/testing.h"
#include "nts/testing_client.h"

namespace {

using namespace timepool;
using nts::fake::Octets;

constexpr std::size_t kMaxRequest = 2048;

struct Server {
  explicit Server(AeadId id) : keys(nts::fake::session_keys(id, 1)) {
    answerer.use(nts::fake::cookie_keys(1));
    maker.use(nts::fake::cookie_keys(1));
  }
  nts::fake::SeededRandom random{1};
  nts::SessionKeys keys;
  nts::Answerer answerer{nts::fake::TestAeadMaker(), random};
  nts::Cookies maker{nts::fake::TestAeadMaker(), random};
};

void check(Server& server, Octets request) {
  const auto packet = wire::ntp::parse_packet(request);
  if (!packet.ok()) return;
  const nts::Asked asked = server.answerer.judge(request, *packet);
  if (asked.verdict != nts::AskVerdict::kAuthentic) return;
  CHECK(asked.size <= request.size());
  CHECK(asked.cookies >= 1 && asked.cookies <= nts::kMaxNewCookies);
  const Octets id(asked.unique_id.begin(), asked.unique_id.end());
  ByteWriter writer(request);
  wire::ntp::write_header({}, writer);
  const nts::Seal seal = server.answerer.write(asked, writer);
  CHECK(writer.size() == asked.size);
  const MutableBytes reply = MutableBytes(request).first(writer.size());
  server.answerer.seal(seal, reply);
  const auto aead = nts::fake::TestAeadMaker().make(server.keys.aead);
  const auto content = nts::fake::read_reply(reply, server.keys, *aead);
  CHECK(content && content->unique_id == id && content->cookies.size() == asked.cookies);
  for (const Octets& cookie : content->cookies) CHECK(server.maker.open(cookie) == server.keys);
}

// The shape of a request by seven octets.
nts::fake::RequestShape shape_of(const std::uint8_t* data) {
  nts::fake::RequestShape out;
  out.unique_id = 24 + data[0] % 32 * 4U;
  out.placeholders = data[1] % 12;
  out.sealed_placeholders = data[2] % 10;
  out.nonce = data[3] % 40;
  out.padding = data[4] % 16 * 4U;
  out.stranger = data[5] % 16 * 4U;
  out.stranger = out.stranger < 12 ? 0 : out.stranger;
  out.behind = data[6] % 2 == 0 ? 0 : 40;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  Server server((data[0] & 1) == 0 ? AeadId::kAesSivCmac256 : AeadId::kAes128GcmSiv);
  const auto aead = nts::fake::TestAeadMaker().make(server.keys.aead);
  Octets request =
      nts::fake::make_request(server.keys, nts::fake::make_cookie(server.maker, server.keys), *aead,
                              server.random, shape_of(data + 1));
  // Changes, each by its place and what is put there; then octets that replace the end.
  std::size_t at = 8;
  for (int i = 0; i < (data[0] >> 1) % 8 && at + 3 <= size; ++i, at += 3) {
    const std::size_t place = (std::size_t{data[at]} << 8U | data[at + 1]) % request.size();
    request[place] = static_cast<std::byte>(data[at + 2]);
  }
  if (at < size && data[at] < 128) {
    request.resize(std::min<std::size_t>(request.size(), 48U + data[at] * 4U));
    const auto* rest = reinterpret_cast<const std::byte*>(data + at + 1);
    request.insert(request.end(), rest, rest + (size - at - 1) / 4 * 4);
  }
  if (request.size() > kMaxRequest) return 0;
  check(server, std::move(request));
  return 0;
}
