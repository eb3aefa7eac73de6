#include "sim/scenario_codec.h"

#include <string>
#include <vector>

namespace timepool::sim {

constexpr Duration kLongest = Duration::seconds(7 * 86'400);

config::Codec<Duration> span() {
  return config::duration(Duration(), kLongest);
}
config::Codec<Duration> signed_span() {
  return config::duration(-kLongest, kLongest);
}

config::Codec<Window> window() {
  const config::Codec<std::vector<Duration>> pair = config::list_of(span(), 2);
  return {"a pair of times [from, until]",
          [pair](const config::Value& value, Window& out) -> std::string {
            std::vector<Duration> read;
            std::string wrong = pair.read(value, read);
            if (!wrong.empty()) return wrong;
            if (read.size() != 2 || read[0] >= read[1]) return "expected [from, until], from first";
            out = {read[0], read[1]};
            return {};
          },
          [pair](const Window& in) { return pair.write({in.from, in.until}); }};
}

}  // namespace timepool::sim
