// What the manager says: any text in; of work each item is within its limits, and a result for it
// is JSON that says whom it is for.
#include <boost/json/parse.hpp>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "monitord/messages.h"
#include "monitord/nts_outcome.h"

using namespace timepool;
using namespace timepool::monitord;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CHECK(error_message(text).size() <= size);
  const std::string detail = detail_of(text);
  CHECK(detail.size() <= NtsResult::kMaxDetail);
  static_cast<void>(parse_verdict(text));
  const auto work = parse_work(text);
  if (!work.ok()) return 0;
  CHECK(work->size() <= kMaxWork);
  std::vector<ProbeResult> results;
  for (const Work& item : *work) {
    CHECK(item.samples >= 1 && item.samples <= Work::kMaxSamples && item.endpoint.port != 0);
    ProbeResult& result = results.emplace_back();
    result.ticket = item.ticket;
    if (!item.nts) continue;
    CHECK(item.nts->port != 0 && !item.nts->trust.empty());
    CHECK(item.nts->name.size() <= nts::kMaxServerName + 1);
    result.nts = NtsResult{item.nts->name, item.nts->port, pool::NtsOutcome::kTlsFailed};
    result.nts->detail = detail;
  }
  boost::system::error_code error;
  const auto written = boost::json::parse(write_results(results), error);
  CHECK(!error && written.at("results").as_array().size() == results.size());
  return 0;
}
