// Any octets as a request: exactly one reason, a response that reads as records and fits it, and
// the same whether the octets come at once or one by one.
#include <cstdint>

#include "base/check.h"
#include "nts/ke_server.h"
#include "nts/ke_testing.h"

namespace {

using namespace timepool;
using namespace timepool::nts;

KeServerConfig config() {
  KeServerConfig out;
  CHECK(out.aeads.push_back(AeadId::kAes128GcmSiv));
  CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
  out.servers = {{"192.0.2.1", 123}, {"ntp.example", 1123}};
  return out;
}

void check_response(KeReason reason, Bytes response) {
  ByteReader reader(response);
  std::size_t cookies = 0;
  bool ended = false;
  while (reader.remaining() > 0) {
    CHECK(!ended);
    const wire::nts::Record record = wire::nts::read_record(reader);
    CHECK(reader.ok());
    if (record.type == wire::nts::record_type::kCookie) ++cookies;
    if (record.type == wire::nts::record_type::kError) {
      CHECK(ByteReader(record.body).u16() == error_code_of(reason).value());
    }
    ended = record.type == wire::nts::record_type::kEndOfMessage;
  }
  CHECK(ended);
  CHECK(cookies == (reason == KeReason::kEstablished ? kEstablishedCookies : 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes request = std::as_bytes(std::span(data, size));
  const KeServerConfig settings = config();
  fake::TestExporter exporter;
  fake::TestCookieMaker cookies;
  KeServer at_once(settings, IpFamily::kV4);
  const auto reason = at_once.feed(request, exporter, cookies);
  const KeReason whole = reason ? *reason : at_once.handle_end();
  check_response(whole, at_once.response());
  CHECK(!name_of(whole).empty());

  fake::TestCookieMaker others;
  KeServer slow(settings, IpFamily::kV4);
  std::optional<KeReason> found;
  for (std::size_t i = 0; i < size && !found; ++i) {
    found = slow.feed(request.subspan(i, 1), exporter, others);
  }
  const KeReason by_octets = found ? *found : slow.handle_end();
  check_response(by_octets, slow.response());
  // Whoever gets the octets one by one does not see those behind the end.
  if (whole != KeReason::kAfterEnd) {
    CHECK(by_octets == whole);
    CHECK(std::equal(slow.response().begin(), slow.response().end(), at_once.response().begin(),
                     at_once.response().end()));
  }
  return 0;
}
