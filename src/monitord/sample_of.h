// What an exchange, or its failure, is to the manager: one Sample. Pure.
#pragma once

#include <optional>

#include "monitord/messages.h"
#include "ntp/exchange.h"

namespace timepool::monitord {

inline constexpr const char* kErrorTimeout = "timeout";
inline constexpr const char* kErrorKiss = "kod";
inline constexpr const char* kErrorUnreachable = "unreachable";
inline constexpr const char* kErrorBogus = "bogus";

// Of an answer. Whatever has times is reported with its values, also where the server says that it
// is not synchronised: the manager judges. Nothing when our own clock stepped in between.
std::optional<Sample> sample_of(const ntp::Reply& answer);
// Of a failure to send or receive: "unreachable" when the network said so, else nothing, since the
// fault is ours.
std::optional<Sample> sample_of(const Error& error);
Sample timed_out();

}  // namespace timepool::monitord
