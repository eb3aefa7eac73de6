// Any octets as a response: an establishment that keeps its limits or an error with a name, and the
// same whether the octets come at once or one by one.
#include <cstdint>

#include "base/check.h"
#include "nts/ke_client.h"
#include "nts/ke_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::nts;
  const Bytes response = std::as_bytes(std::span(data, size));
  KeClientConfig config;
  CHECK(config.aeads.push_back(AeadId::kAes128GcmSiv));
  CHECK(config.aeads.push_back(AeadId::kAesSivCmac256));
  fake::TestExporter exporter;
  KeClient client(config);
  auto out = client.feed(response, exporter);
  if (!out) out = fail(client.handle_end());
  CHECK(client.done());
  if (out->ok()) {
    const Establishment& it = **out;
    CHECK(!it.cookies.empty() && it.cookies.size() <= kMaxCookies);
    for (const Cookie& cookie : it.cookies) {
      CHECK(!cookie.empty() && cookie.size() <= kMaxCookieSize);
    }
    CHECK(it.server.empty() || is_server_name(it.server));
    CHECK(it.port != 0);
    CHECK(!it.other_keys || it.keys.aead == AeadId::kAes128GcmSiv);
  } else {
    CHECK(!name_of(out->error()).empty() && !describe(out->error()).empty());
  }

  KeClient slow(config);
  std::optional<Result<Establishment, KeClientError>> found;
  for (std::size_t i = 0; i < size && !found; ++i) {
    found = slow.feed(response.subspan(i, 1), exporter);
  }
  if (!found) found = fail(slow.handle_end());
  // Whoever gets the octets one by one does not see those behind the end.
  if (out->ok() || out->error() != KeClientError::kAfterEnd) {
    CHECK(found->ok() == out->ok());
    CHECK(found->ok() ? (*found)->keys == (*out)->keys : found->error() == out->error());
  }
  return 0;
}
