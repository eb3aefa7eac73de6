// The setting `log_level`, the same in every program.
#pragma once

#include "config/codec.h"
#include "sys/log.h"

namespace timepool::config {

inline constexpr const char* kLogLevelDoc =
    "The least important messages that are written to standard error.";

inline Codec<sys::LogLevel> log_level() {
  return one_of<sys::LogLevel>({{"error", sys::LogLevel::kError},
                                {"warning", sys::LogLevel::kWarning},
                                {"info", sys::LogLevel::kInfo},
                                {"debug", sys::LogLevel::kDebug}});
}

}  // namespace timepool::config
