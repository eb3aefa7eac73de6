#include "sim/trace.h"

#include <bit>

#include "base/siphash.h"

namespace timepool::sim {
namespace {
constexpr SiphashKey kKey{0x73696d756c617465, 0x642d74696d65706f};
}

void Trace::mix(std::uint64_t word) {
  hash_ = std::rotl(hash_ ^ word, 23) * 0x9e3779b97f4a7c15;
}

void Trace::mix(Bytes data) {
  mix(siphash24(kKey, data));
}

void Trace::add(UnixTime when, std::string_view what, Bytes data) {
  ++entries_;
  mix(static_cast<std::uint64_t>(when.ns()));
  mix(std::as_bytes(std::span(what.data(), what.size())));
  mix(data);
}

void Trace::add(UnixTime when, std::string_view what, std::uint64_t number) {
  add(when, what);
  mix(number);
}

}  // namespace timepool::sim
