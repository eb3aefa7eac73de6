// Any text as what the manager says to a monitor: work within its limits, a verdict, or an error;
// and of what a server then answered, results that are one JSON object.
#include <cstdint>
#include <string_view>

#include <boost/json/parse.hpp>

#include "base/check.h"
#include "monitord/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;  // NOLINT: a test program of one file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto work = monitord::parse_work(text);
  if (work.ok()) {
    CHECK(work->size() <= monitord::kMaxWork);
    std::vector<monitord::ProbeResult> results;
    for (const monitord::Work& item : *work) {
      CHECK(item.samples >= 1 && item.samples <= monitord::Work::kMaxSamples);
      CHECK(item.endpoint.port != 0);
      monitord::ProbeResult result;
      result.server = item.server;
      result.ticket = item.ticket;
      result.samples.resize(1);
      results.push_back(std::move(result));
    }
    boost::system::error_code error;
    const auto written = boost::json::parse(monitord::write_results(results), error);
    CHECK(!error && written.is_object());
  } else {
    CHECK(!work.error().text().empty());
  }
  const auto verdict = monitord::parse_verdict(text);
  if (!verdict.ok()) CHECK(!verdict.error().text().empty());
  CHECK(monitord::error_message(text).size() <= size);
  return 0;
}
